"""How people say in words what the shipped domains can draw, in English and Chinese.

A row is a domain, a phrase, what its names are, and the plain Substance that it says. `<A>` stands
for a name, `<A+>` for a list of names, `<ABC>` for three points side by side. A name marked with
`!` must be known to be of that type already: words like "parallel" belong to several fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kuaibao.diagrams.illustrating.names import CORNERS, NAME, identifier, label_of

__all__ = ["PHRASES", "Found", "Phrase", "find_phrases"]


@dataclass(frozen=True)
class Phrase:
    """One row of the table."""

    domain: str
    pattern: re.Pattern[str]
    types: dict[str, str]
    """Slots and types; a type with `!` must be known before."""
    lines: tuple[str, ...]
    """Plain Substance with `{A}` for the slots; none for a mere declaration."""


@dataclass(frozen=True)
class Found:
    """A phrase in a sentence."""

    domain: str
    start: int
    end: int
    types: dict[str, str]
    lines: tuple[str, ...]
    labels: dict[str, str]


_AND = r"(?:\s*,\s*and\s+|\s+and\s+|\s*[,、，]\s*|\s*(?:和|与|及)\s*)"
_LIST = rf"{NAME}(?:{_AND}{NAME})*"
_SLOT = re.compile(r"<(\w+)(\+?)>")


def _phrase(domain: str, pattern: str, types: str, *lines: str) -> Phrase:
    kinds = dict(part.split(":") for part in types.split())
    places: dict[str, str] = {}

    def slot(match: re.Match[str]) -> str:
        name, several = match[1], match[2]
        if name in places:
            return f"(?P={name})"
        is_corners = len(name) > 1 and name.isupper()
        body = _LIST if several else CORNERS % len(name) if is_corners else NAME
        places[name] = body
        return f"(?P<{name}>{body})"

    pattern = pattern.replace(" is ", " (?:is|be) ").replace(" are ", " (?:are|be) ")
    text = _SLOT.sub(slot, pattern).replace(" ", r"\s+").replace("~", r"\s*")
    return Phrase(domain, re.compile(text), kinds, lines)


_P = _phrase
PHRASES: tuple[Phrase, ...] = (
    # sets
    _P("sets", r"(?:[Ll]et|[Ss]uppose|[Gg]iven|[Ff]or) <A+> (?:be |are )?(?:\w+ )?sets?\b", "A:Set"),
    _P("sets", r"\b[Ss]ets <A+>", "A:Set"),
    _P("sets", r"\bset <A>", "A:Set"),
    _P("sets", r"<A> (?:is|be) (?:an? (?:proper |strict )?subset of|contained in|included in) <B>",
       "A:Set B:Set", "Subset({A}, {B})"),
    _P("sets", r"disjoint sets <A> and <B>", "A:Set B:Set", "Disjoint({A}, {B})"),
    _P("sets", r"<A> contains the set <B>", "A:Set B:Set", "Subset({B}, {A})"),
    _P("sets", r"<A> and <B> are (?:mutually )?disjoint", "A:Set B:Set", "Disjoint({A}, {B})"),
    _P("sets", r"<A> is disjoint from <B>", "A:Set B:Set", "Disjoint({A}, {B})"),
    _P("sets", r"<A> and <B> (?:overlap|intersect)\b", "A:Set! B:Set!", "Overlapping({A}, {B})"),
    _P("sets", r"<x> (?:is an element of|belongs to|lies in|is in) <A>", "x:Element A:Set!", "In({x}, {A})"),
    _P("sets", r"<x> (?:is not an element of|does not belong to) <A>", "x:Element A:Set!",
       "NotIn({x}, {A})"),
    _P("sets", r"(?:设|若|令|已知)~<A+>~(?:都)?(?:是|为)~(?:两个|三个)?集合", "A:Set"),
    _P("sets", r"集合~<A+>", "A:Set"),
    _P("sets", r"<A>~(?:是|为)~<B>~的真?子集", "A:Set B:Set", "Subset({A}, {B})"),
    _P("sets", r"<A>~(?:真?包含于)~<B>", "A:Set B:Set", "Subset({A}, {B})"),
    _P("sets", r"<A>~(?:和|与)~<B>~(?:互)?不相交", "A:Set B:Set", "Disjoint({A}, {B})"),
    _P("sets", r"<A>~(?:和|与)~<B>~相交", "A:Set! B:Set!", "Overlapping({A}, {B})"),
    _P("sets", r"(?:元素)?~<x>~属于~(?:集合)?~<A>", "x:Element A:Set", "In({x}, {A})"),
    _P("sets", r"<x>~是~<A>~的元素", "x:Element A:Set", "In({x}, {A})"),
    _P("sets", r"(?:元素)?~<x>~不属于~(?:集合)?~<A>", "x:Element A:Set", "NotIn({x}, {A})"),
    # functions
    _P("functions", r"<f> (?:is|be) an? (?:function|map|mapping) from <A> (?:in)?to <B>",
       "f:Map A:Set B:Set", "From({f}, {A}, {B})"),
    _P("functions", r"<f> maps <A> (?:in)?to <B>", "f:Map A:Set! B:Set!", "From({f}, {A}, {B})"),
    _P("functions", r"<f> is injective", "f:Map!", "Injective({f})"),
    _P("functions", r"<f> is surjective", "f:Map!", "Surjective({f})"),
    _P("functions", r"<f> is (?:bijective|a bijection)", "f:Map!", "Bijective({f})"),
    _P("functions", r"[Ff]unction <f>", "f:Map"),
    _P("functions", r"[Mm]ap <f>", "f:Map"),
    _P("functions", r"<f>~是~(?:从)?~<A>~到~<B>~的(?:函数|映射)", "f:Map A:Set B:Set",
       "From({f}, {A}, {B})"),
    _P("functions", r"(?:函数|映射)~<f>", "f:Map"),
    _P("functions", r"<f>~是单射", "f:Map!", "Injective({f})"),
    _P("functions", r"<f>~是满射", "f:Map!", "Surjective({f})"),
    _P("functions", r"<f>~是双射", "f:Map!", "Bijective({f})"),
    # linear algebra
    _P("linear_algebra", r"\b[Vv]ectors? <u+>", "u:Vector"),
    _P("linear_algebra", r"(?:[Ll]et|[Ss]uppose) <u+> be (?:two |three )?(?:unit )?vectors?\b",
       "u:Vector"),
    _P("linear_algebra", r"(?:[Ll]et|[Ss]uppose) <u> be a unit vector", "u:Vector", "Unit({u})"),
    _P("linear_algebra", r"<u> and <v> are orthogonal", "u:Vector v:Vector", "Orthogonal({u}, {v})"),
    _P("linear_algebra", r"<u> is orthogonal to <v>", "u:Vector v:Vector", "Orthogonal({u}, {v})"),
    _P("linear_algebra", r"<u> and <v> are perpendicular", "u:Vector! v:Vector!",
       "Orthogonal({u}, {v})"),
    _P("linear_algebra", r"<u> and <v> are parallel", "u:Vector! v:Vector!", "Parallel({u}, {v})"),
    _P("linear_algebra", r"<u> and <v> are linearly independent", "u:Vector v:Vector",
       "Independent({u}, {v})"),
    _P("linear_algebra", r"<u> is a unit vector", "u:Vector", "Unit({u})"),
    _P("linear_algebra", r"<w> is the sum of <u> and <v>", "w:Vector u:Vector! v:Vector!",
       "{w} := Add({u}, {v})"),
    _P("linear_algebra", r"<p> is the (?:orthogonal )?projection of <u> on(?:to)? <v>",
       "p:Vector u:Vector v:Vector", "{p} := Project({u}, {v})"),
    _P("linear_algebra", r"向量~<u+>", "u:Vector"),
    _P("linear_algebra", r"<u>~(?:和|与)~<v>~(?:互相|相互)?(?:正交|垂直)", "u:Vector! v:Vector!",
       "Orthogonal({u}, {v})"),
    _P("linear_algebra", r"<u>~(?:和|与)~<v>~平行", "u:Vector! v:Vector!", "Parallel({u}, {v})"),
    _P("linear_algebra", r"<u>~(?:和|与)~<v>~线性无关", "u:Vector! v:Vector!",
       "Independent({u}, {v})"),
    _P("linear_algebra", r"<u>~(?:是|为)~单位向量", "u:Vector", "Unit({u})"),
    _P("linear_algebra", r"<w>~(?:是|为)~<u>~(?:与|和)~<v>~的和", "w:Vector u:Vector! v:Vector!",
       "{w} := Add({u}, {v})"),
    # geometry
    _P("geometry", r"\b[Tt]riangle <ABC>", "ABC:Point", "Triangle t{ABC} := Triangle({A}, {B}, {C})"),
    _P("geometry", r"<ABC> is an? (?:\w+ )?triangle", "ABC:Point",
       "Triangle t{ABC} := Triangle({A}, {B}, {C})"),
    _P("geometry", r"(?:[Ee]quilateral triangle <ABC>|<DEF> is an equilateral triangle)",
       "ABC:Point DEF:Point", "Equilateral(t{ABC})"),
    _P("geometry", r"right angle at <C>", "C:Point!", "@right({C})"),
    _P("geometry", r"(?:[Aa]ngle|\\angle|∠)~<ABC> is (?:a right angle|right)", "ABC:Point",
       "RightAngle({A}, {B}, {C})"),
    _P("geometry", r"(?:\\angle|∠)~<ABC>~=~90~(?:°|\^~\{?~\\circ~\}?)", "ABC:Point",
       "RightAngle({A}, {B}, {C})"),
    _P("geometry", r"<M> is the midpoint of (?:the )?(?:segment |side )?<AB>", "M:Point AB:Point",
       "Segment s{AB} := Segment({A}, {B})", "{M} := Midpoint({A}, {B})"),
    _P("geometry", r"<G> is the centroid of (?:the )?triangle <ABC>", "G:Point ABC:Point",
       "{G} := Centroid({A}, {B}, {C})"),
    _P("geometry", r"[Cc]ircumcircle of (?:the )?(?:triangle )?<ABC>", "ABC:Point",
       "Triangle t{ABC} := Triangle({A}, {B}, {C})",
       "Circle outer{ABC} := Circumcircle({A}, {B}, {C})"),
    _P("geometry", r"[Ii]ncircle of (?:the )?(?:triangle )?<ABC>", "ABC:Point",
       "Triangle t{ABC} := Triangle({A}, {B}, {C})", "Circle inner{ABC} := Incircle({A}, {B}, {C})"),
    _P("geometry", r"<H> is the foot of the altitude from <C> (?:on)?to <AB>",
       "H:Point C:Point AB:Point", "{H} := Foot({C}, {A}, {B})"),
    _P("geometry", r"[Pp]arallelogram <ABCD>", "ABCD:Point",
       "Quadrilateral q{ABCD} := Quadrilateral({A}, {B}, {C}, {D})", "Parallelogram(q{ABCD})"),
    _P("geometry", r"[Rr]ectangle <ABCD>", "ABCD:Point",
       "Quadrilateral q{ABCD} := Quadrilateral({A}, {B}, {C}, {D})", "Rectangle(q{ABCD})"),
    _P("geometry", r"三角形~<ABC>", "ABC:Point", "Triangle t{ABC} := Triangle({A}, {B}, {C})"),
    _P("geometry", r"等边三角形~<ABC>", "ABC:Point", "Equilateral(t{ABC})"),
    _P("geometry", r"(?:∠|\\angle|角)~<C>~(?:是|为)~直角", "C:Point!", "@right({C})"),
    _P("geometry", r"<C>~(?:是|为)~直角顶点", "C:Point!", "@right({C})"),
    _P("geometry", r"(?:∠|\\angle|角)~<ABC>~(?:是|为)~直角", "ABC:Point", "RightAngle({A}, {B}, {C})"),
    _P("geometry", r"<M>~(?:是|为)~(?:线段|边)?~<AB>~的中点", "M:Point AB:Point",
       "Segment s{AB} := Segment({A}, {B})", "{M} := Midpoint({A}, {B})"),
    _P("geometry", r"<G>~(?:是|为)~三角形~<ABC>~的重心", "G:Point ABC:Point",
       "{G} := Centroid({A}, {B}, {C})"),
    _P("geometry", r"三角形~<ABC>~的外接圆", "ABC:Point",
       "Circle outer{ABC} := Circumcircle({A}, {B}, {C})"),
    _P("geometry", r"三角形~<ABC>~的内切圆", "ABC:Point",
       "Circle inner{ABC} := Incircle({A}, {B}, {C})"),
    _P("geometry", r"平行四边形~<ABCD>", "ABCD:Point",
       "Quadrilateral q{ABCD} := Quadrilateral({A}, {B}, {C}, {D})", "Parallelogram(q{ABCD})"),
    _P("geometry", r"(?:矩形|长方形)~<ABCD>", "ABCD:Point",
       "Quadrilateral q{ABCD} := Quadrilateral({A}, {B}, {C}, {D})", "Rectangle(q{ABCD})"),
    # graphs
    _P("graphs", r"\b[Vv]ertices <a+>", "a:Vertex"),
    _P("graphs", r"edge (?:between|joins|joining) <a> and <b>", "a:Vertex b:Vertex", "Edge({a}, {b})"),
    _P("graphs", r"arc from <a> to <b>", "a:Vertex b:Vertex", "Arc({a}, {b})"),
    _P("graphs", r"顶点~<a+>", "a:Vertex"),
    _P("graphs", r"<a>~(?:与|和)~<b>~(?:相邻|有边相连)", "a:Vertex! b:Vertex!", "Edge({a}, {b})"),
    # probability
    _P("probability", r"[Rr]andom variables? <x+>", "x:Variable"),
    _P("probability", r"<x> depends on <y>", "x:Variable! y:Variable!", "Depends({y}, {x})"),
    _P("probability", r"随机变量~<x+>", "x:Variable"),
    _P("probability", r"<x>~依赖于?~<y>", "x:Variable! y:Variable!", "Depends({y}, {x})"),
)  # fmt: skip


def find_phrases(sentence: str) -> Iterator[Found]:
    """Every phrase of the table in a sentence, dollars and such taken out, in order of place."""
    found: list[Found] = []
    for phrase in PHRASES:
        for match in phrase.pattern.finditer(sentence):
            given = {slot: text for slot, text in match.groupdict().items() if text is not None}
            found.append(_filled(phrase, given, match.start(), match.end()))
    return iter(sorted(found, key=lambda one: (one.start, one.end)))


def _filled(phrase: Phrase, given: dict[str, str], start: int, end: int) -> Found:
    types: dict[str, str] = {}
    labels: dict[str, str] = {}
    filling: dict[str, str] = {}
    for slot, text in given.items():
        kind = phrase.types[slot]
        is_corners = len(slot) > 1 and slot.isupper()
        names = list(text.strip("⟨⟩")) if is_corners else re.findall(NAME, text)
        for name in names:
            types[identifier(name)] = kind
            labels[identifier(name)] = label_of(name)
        if is_corners:
            # a phrase with two ways to say it has the corners of either
            shown = "ABC" if slot == "DEF" else slot
            filling["ABC" if slot == "DEF" else slot] = "".join(names)
            filling.update(zip(shown, names, strict=False))
        else:
            filling[slot] = identifier(names[0])
    lines = tuple(line.format_map(filling) for line in phrase.lines)
    return Found(phrase.domain, start, end, types, lines, labels)
