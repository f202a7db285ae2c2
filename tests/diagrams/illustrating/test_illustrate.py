"""Texts are illustrated: by a grammar, in English and Chinese, and never by guessing."""

import http.server
import json
import re
import threading
from xml.etree import ElementTree

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuaibao.cli.main import main
from kuaibao.diagrams.errors import DiagramError
from kuaibao.diagrams.illustrating import EndpointError, EndpointProposer, illustrate
from kuaibao.diagrams.illustrating.documents import paragraphs_of
from kuaibao.diagrams.illustrating.formulas import read_formula


def facts(text, kind="markdown"):
    made = illustrate(text, kind)
    return [(one.domain, said(one.substance)) for one in made.figures]


def said(substance):
    return [
        line for line in substance.splitlines() if re.search(r":=|\(", line) and "Label" not in line
    ]


@pytest.mark.parametrize(
    ("text", "domain", "lines"),
    [
        (r"Let $A$ and $B$ be sets with $A \subset B$.", "sets", ["Subset(A, B)"]),
        ("Suppose A is a proper subset of B.", "sets", ["Subset(A, B)"]),
        (r"Here \(A ⊂ B ⊂ C\).", "sets", ["Subset(A, B)", "Subset(B, C)"]),
        ("The disjoint sets P and Q are large.", "sets", ["Disjoint(P, Q)"]),
        ("设 $A$、$B$ 为集合，$A$ 是 $B$ 的真子集。", "sets", ["Subset(A, B)"]),
        (r"若 $x \in A$，其中集合 $A$ 非空。", "sets", ["In(x, A)"]),
        (r"A function $f \colon X \rightarrow Y$ is given.", "functions", ["From(f, X, Y)"]),
        (r"Suppose $f : X \to Y$ is a function and $f$ is injective.", "functions",
         ["From(f, X, Y)", "Injective(f)"]),
        ("In triangle ABC, let M be the midpoint of AB.", "geometry",
         ["Triangle tABC := Triangle(A, B, C)", "Segment sAB := Segment(A, B)",
          "M := Midpoint(A, B)"]),
        ("f 是从 A 到 B 的映射。", "functions", ["From(f, A, B)"]),
        ("The vectors $u$ and $v$ are orthogonal.", "linear_algebra", ["Orthogonal(u, v)"]),
        ("向量 u 与 v 正交。", "linear_algebra", ["Orthogonal(u, v)"]),
        (r"We know $\|u\| = 1$.", "linear_algebra", ["Unit(u)"]),
        ("Consider a triangle ABC with a right angle at C.", "geometry",
         ["Triangle tABC := Triangle(A, B, C)", "RightAngle(A, C, B)"]),
        ("三角形 ABC 中，角 C 为直角。", "geometry",
         ["Triangle tABC := Triangle(A, B, C)", "RightAngle(A, C, B)"]),
        ("M is the midpoint of AB.", "geometry",
         ["Segment sAB := Segment(A, B)", "M := Midpoint(A, B)"]),
        ("平行四边形 ABCD 的对边相等。", "geometry",
         ["Quadrilateral qABCD := Quadrilateral(A, B, C, D)", "Parallelogram(qABCD)"]),
        ("Random variables $X$ and $Y$ are such that $Y$ depends on $X$.", "probability",
         ["Depends(X, Y)"]),
        (r"The sets satisfy $A \cup B \subset C$.", "sets",
         ["Set e1 := Union(A, B)", "Subset(e1, C)"]),
    ],
)  # fmt: skip
def test_a_statement_is_drawn(text, domain, lines):
    assert facts(text) == [(domain, lines)]


def test_names_keep_their_tex():
    (figure,) = illustrate(r"Clearly $\mathbb{N} \subset \mathbb{Z}$.", "markdown").figures
    assert r"Label N $\mathbb{N}$" in figure.substance


def test_what_was_said_before_decides():
    text = "The vectors $p$ and $q$ are long.\n\nNow $p$ and $q$ are parallel.\n"
    assert facts(text) == [("linear_algebra", ["Parallel(p, q)"])]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "Now $p$ and $q$ are parallel.",
            "it was not said before what this is: p (Vector), q (Vector)",
        ),
        (r"$f : A \to B$", "it could belong to functions or categories"),
        ("$E = mc^2$", "no shipped domain has this notation"),
        (r"Let $A \subset B$ and $A \cap B = \emptyset$.", "no picture satisfies it"),
        ("Now ∠C is big, with a right angle at C in the triangle.", "it was not said before"),
    ],
)
def test_what_is_unclear_or_contradicts_itself_is_listed_not_guessed(text, reason):
    made = illustrate(text, "markdown")
    assert made.figures == []
    assert reason in made.not_drawn[0].reason


@pytest.mark.parametrize(
    "text",
    ["I set a table in a room.", "The set is a mess and a map is in it.", "`$A \\subset B$`",
     "```\n$A \\subset B$\n```", "# $A \\subset B$", "The sum $a + b$ of numbers."],
)  # fmt: skip
def test_prose_code_and_headings_say_nothing(text):
    made = illustrate(text, "markdown")
    assert (made.figures, made.not_drawn) == ([], [])


def test_the_same_statement_is_drawn_once():
    assert len(facts("$A ⊂ B$\n\nAgain $A ⊂ B$.\n")) == 1


MARKDOWN = "# Sets\n\nLet $A ⊂ B$ be given.\n\n- an item\n\nThe end.\n"
LATEX = (
    "\\documentclass{article}\n\\begin{document}\n\\section{Sets}\nLet $A \\subset B$ be given.\n\n"
    "The end.\n\\end{document}\n"
)
HTML = "<html><body><h1>Sets</h1><p class='x'>Let \\(A \\subset B\\) be given.</p><p>The end.</p></body></html>"


def run(*arguments):
    try:
        main(["illustrate", *map(str, arguments)])
    except SystemExit as stop:
        return stop.code or 0
    return 0


@pytest.mark.parametrize(("name", "text"), [("a.md", MARKDOWN), ("a.tex", LATEX), ("a.html", HTML)])
def test_the_figure_stands_beside_its_paragraph_and_both_are_linked(tmp_path, capsys, name, text):
    path = tmp_path / name
    path.write_text(text)
    assert run(path, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    out = (tmp_path / report["output"]).read_text()
    (figure,) = report["figures"]
    assert figure["domain"] == "sets"
    assert figure["violation"] < 0.1
    given = out.index("be given")
    if name == "a.md":
        assert (
            out.index('id="statement-1"')
            < given
            < out.index("](#statement-1)")
            < out.index("an item")
        )
        assert "(#figure-1)" in out
        ElementTree.parse(tmp_path / figure["file"])
    elif name == "a.tex":
        assert given < out.index("\\begin{figure}") < out.index("The end")
        assert "\\ref{fig:kuaibao-1}" in out
        assert (tmp_path / figure["file"]).read_bytes().startswith(b"%PDF")
    else:
        page = lxml.html.fromstring(out)
        (shown,) = page.xpath("//p/following-sibling::*[1][self::figure]")
        assert shown.xpath(".//svg")
        assert page.xpath("//p/a[@id='statement-1']")
        assert page.xpath("//p/a[@href='#figure-1']")
    assert out.replace("The end.", "").count("The end") == 0


def test_the_rest_of_a_document_is_untouched():
    made = illustrate("No maths here.\r\n\r\n<div>kept</div>\r\n", "markdown")
    assert made.text(lambda _: "") == "No maths here.\r\n\r\n<div>kept</div>\r\n"


def test_a_list_of_html_holds_nothing_but_items():
    made = illustrate("<ul><li>Let \\(A ⊂ B\\).</li><li>More</li></ul>", "html")
    page = lxml.html.fromstring(made.text(lambda _: ""))
    assert [one.tag for one in page.iterchildren()] == ["li", "li"]
    assert page.xpath("./li[1]/figure")


def test_lines_are_those_of_the_document():
    found = paragraphs_of("one\n\n```\ncode\n```\n\ntwo\nthree\n", "markdown")
    assert [(one.text, one.line) for one in found] == [("one", 1), ("two three", 7)]


@pytest.mark.parametrize("name", ["a.docx", "a"])
def test_other_files_are_refused(tmp_path, capsys, name):
    assert run(tmp_path / name) == 2
    assert "cannot read" in capsys.readouterr().err


def test_a_text_that_is_too_long_is_refused():
    with pytest.raises(DiagramError):
        illustrate("x" * 2_000_001, "markdown")


@pytest.fixture
def endpoint():
    answers = []
    asked = []

    class Model(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            status, content = answers.pop(0)
            body = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Model)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", answers, asked
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_a_model_may_propose_what_the_grammar_cannot_read(endpoint):
    url, answers, asked = endpoint
    program = {"domain": "sets", "substance": "Set A, B\nSubset(A, B)\nAutoLabel All"}
    answers.append((200, f"Here: {json.dumps(program)}"))
    made = illustrate("Surely $A \\prec B = C$.\n", "markdown", proposer=EndpointProposer(url, "m"))
    (figure,) = made.figures
    assert figure.proposed_by == "m"
    assert made.not_drawn == []
    assert "predicate Subset" in asked[0]["messages"][0]["content"]
    assert "drawn by m" in made.text(lambda _: "f.svg")


@pytest.mark.parametrize(
    "proposal",
    ["no idea", '{"domain": ""}', '{"domain": "magic", "substance": "x"}',
     '{"domain": "sets", "substance": "Set A\\nSubset(A, B)"}',
     '{"domain": "sets", "substance": "Set A, B\\nSubset(A, B)\\nDisjoint(A, B)"}', "{" * 99],
)  # fmt: skip
def test_a_proposal_that_is_wrong_is_never_shown(endpoint, proposal):
    url, answers, _ = endpoint
    answers.append((200, proposal))
    made = illustrate("Surely $A \\prec B = C$.\n", "markdown", proposer=EndpointProposer(url, "m"))
    assert made.figures == []
    assert len(made.not_drawn) == 1


def test_an_endpoint_that_fails_is_told(endpoint):
    url, answers, _ = endpoint
    answers.append((500, ""))
    with pytest.raises(EndpointError, match="500"):
        EndpointProposer(url, "m").propose("x")
    with pytest.raises(EndpointError, match="does not answer"):
        EndpointProposer("http://127.0.0.1:1/v1", "m", timeout_s=2).propose("x")


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet="ABC fux$⟨⟩\\_{}()=⊂∈,.:→<>p/\n的与设集合是子", max_size=60),
    st.sampled_from(["markdown", "latex", "html"]),
)
def test_any_text_is_read_and_kept(text, kind):
    made = illustrate(text, kind)
    if not made.figures:
        assert made.text(lambda _: "") == text


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ABfx \\in{}()⊂∈=∪∩|,:→-1", max_size=30))
def test_any_formula_is_read_or_not(text):
    for reading in read_formula(text, {}):
        assert reading.lines
