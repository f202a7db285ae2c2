"""Feeds made by chance from the constructs that feeds use: the same seed gives the same feed."""

import random
from xml.sax.saxutils import escape, quoteattr

WORDS = [
    "library",
    "model",
    "open",
    "data",
    "快报",
    "图书馆",
    "café",
    "naïve",
    "AT&T",
    "x<y",
    "Müller",
    "标题",
    "news",
    "‘quoted’",
    "€5",
    "–",
    "draft",
    "summary",
    "learning",
    "2020",
    "it's",
    '"said"',
    "Ωmega",
    "привет",
    "こんにちは",
]
MARKUP = (
    "<p>{}</p>", "<b>{}</b> and <i>more</i>", "<a href='/rel/{}'>link</a>", "{} &amp; {}",
    "<img src=\"pic.png\" alt=\"{}\"/>", "<A HREF=\"http://e.org/?a=1&b=2\">{}</A><br>", "{} &nbsp; {}",
    "<div class=\"x\" id='y'><p>{}</p></div>", "plain {}", "<ul><li>{}</li><li>b</li></ul>",
    "<!-- more --><p>{}</p>", "<p>{}<br/>{}</p>", "a < b and {}", "<blockquote cite=\"../q\">{}</blockquote>",
    "<iframe src=\"//v.org/1\"></iframe>{}", "&lt;escaped&gt; {}", "&#8220;{}&#8221; &#x27;", "<p>{}",
    "<img src=x.png>{}", "<custom:tag>{}</custom:tag>", "&unknown; {}", "<script>if (a<b) {}</script>",
    "<a href=\"mailto:a@b.org\" rel=\"NOFOLLOW\">{}</a>", "<a href=\"javascript:x()\">{}</a>",
)  # fmt: skip
DATES = (
    "Wed, 17 Jun 2020 08:30:00 GMT", "Wed, 17 Jun 2020 08:30:00 +0800", "17 Jun 2020 08:30:00 EST",
    "2020-06-17T08:30:00Z", "2020-06-17T08:30:00+08:00", "2020-06-17T08:30:00.123Z", "2020-06-17",
    "2020-06", "2020", "Wed Jun 17 08:30:00 2020", "20200617", "2020-06-17 08:30:00", "nonsense",
    "Wed, 17 Jun 20 08:30 PST", "Mon, 01 Jan 0001 00:00:00 GMT", "2020-06-17T24:00:00Z", "",
    "Thu, 31 Jun 2020 08:30:00 GMT", "2020-06-17T08:30Z", "17 June 2020", "Jun 17, 2020 08:30:00",
    "2020-06-17T08:30:00+0800", "06/17/2020", "Wed, 17 Jun 2020 08:30:00 Etc/GMT",
)  # fmt: skip
AUTHORS = (
    "Ann Lee", "ann@e.org", "ann@e.org (Ann Lee)", "Ann Lee <ann@e.org>", "李四", "", "  Bo  Chen ",
    "A. B. Müller, C. D.", "(ann@e.org)", "mailto:ann@e.org?subject=hi",
)  # fmt: skip
LINKS = (
    "http://e.org/a", "/rel/a", "http://e.org/?a=1&b=2", "https://例子.org/x", "a b.html", "", "#frag",
    "http:///e.org/x", "http://e.org/a&amp;b", "  http://e.org/pad  ", "?q=1", "//cdn.org/x",
)  # fmt: skip

RSS_NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/" '
    'xmlns:georss="http://www.georss.org/georss" xmlns:x="http://e.org/own#" '
    'xmlns:creativeCommons="http://backend.userland.com/creativeCommonsRssModule"'
)


class FeedMaker:
    """Makes one feed of each format per call."""

    def __init__(self, seed):
        self.draw = random.Random(seed)

    def pick(self, things):
        return self.draw.choice(things)

    def maybe(self, text, chance=0.5):
        return text if self.draw.random() < chance else ""

    def words(self):
        return " ".join(self.pick(WORDS) for _ in range(self.draw.randint(1, 5)))

    def markup(self):
        parts = []
        for _ in range(self.draw.randint(1, 3)):
            shape = self.pick(MARKUP)
            parts.append(shape.replace("{}", self.words().replace("<", "").replace("&", "")))
        return "".join(parts)

    def escaped(self):
        text = self.pick((self.words, self.markup))()
        if self.draw.random() < 0.4 and "]]>" not in text:
            return f"<![CDATA[{text}]]>"
        blank = self.pick(("", "", "\n   "))
        return blank + escape(text) + blank

    def element(self, name, body, **attributes):
        written = "".join(f" {k.replace('_', ':')}={quoteattr(v)}" for k, v in attributes.items())
        return f"<{name}{written}>{body}</{name}>"

    def rss_item(self):
        e, d = self.element, self.draw
        parts = [
            self.maybe(e("title", self.escaped()), 0.9),
            self.maybe(e("link", escape(self.pick(LINKS))), 0.9),
            self.maybe(e("description", self.escaped()), 0.8),
            self.maybe(e("content:encoded", self.escaped()), 0.4),
            self.maybe(e("guid", escape(self.pick(LINKS)), **self.pick(({}, {"isPermaLink": "false"}, {"isPermaLink": "true"}))), 0.8),
            self.maybe(e("pubDate", self.pick(DATES)), 0.8),
            self.maybe(e("dc:date", self.pick(DATES)), 0.2),
            self.maybe(e("author", escape(self.pick(AUTHORS))), 0.4),
            self.maybe(e("dc:creator", escape(self.pick(AUTHORS))), 0.4),
            self.maybe(e("category", escape(self.words()), **self.pick(({}, {"domain": "http://d.org"}))), 0.5),
            self.maybe(e("category", escape(self.words())), 0.3),
            self.maybe(e("dc:subject", escape(self.words())), 0.2),
            self.maybe('<enclosure url="/f.mp3" length="12" type="Audio/MPEG"/>', 0.3),
            self.maybe('<atom:link rel="self" href="/self.xml"/>', 0.2),
            self.maybe('<media:content url="http://e.org/v.mp4"><media:title>inner</media:title></media:content>', 0.2),
            self.maybe('<media:group><media:content url="v"/><media:description>d &lt;b&gt;x&lt;/b&gt;</media:description><media:keywords>a, b</media:keywords></media:group>', 0.15),
            self.maybe('<media:thumbnail url="http://e.org/t.png" width="3"/>', 0.2),
            self.maybe(e("itunes:summary", self.escaped()), 0.15),
            self.maybe(e("itunes:keywords", "a, b,c"), 0.15),
            self.maybe('<itunes:image href="http://e.org/i.png"/>', 0.1),
            self.maybe(e("slash:comments", "4"), 0.2),
            self.maybe(e("georss:point", "45.256 -71.92"), 0.1),
            self.maybe(e("x:own", "something"), 0.2),
            self.maybe('<x:own a="b"/>', 0.1),
            self.maybe('<source url="http://s.org/rss">Source</source>', 0.2),
            self.maybe(e("comments", "http://e.org/c"), 0.2),
            self.maybe(e("dcterms:modified", self.pick(DATES)), 0.15),
            self.maybe(e("creativeCommons:license", "http://cc.org/by"), 0.1),
            self.maybe(e("description", self.escaped()), 0.1),
            self.maybe(e("title", self.escaped()), 0.1),
            self.maybe(e("dc:title", self.escaped()), 0.1),
            self.maybe("<!-- a comment -->", 0.2),
        ]  # fmt: skip
        d.shuffle(parts)
        about = self.pick(("", ' xml:base="http://base.org/x/"', ' xml:lang="fr"', ""))
        return f"<item{about}>" + "\n".join(parts) + "</item>"

    def rss(self):
        e = self.element
        head = [
            e("title", self.escaped()), e("link", escape(self.pick(LINKS))),
            self.maybe(e("description", self.escaped())), self.maybe(e("language", self.pick(("zh-CN", "en_US", "")))),
            self.maybe(e("lastBuildDate", self.pick(DATES))), self.maybe(e("pubDate", self.pick(DATES))),
            self.maybe(e("generator", "hand")), self.maybe('<atom:link rel="self" href="http://e.org/rss" type="application/rss+xml"/>'),
            self.maybe("<image><url>/i.png</url><title>pic</title><link>http://e.org/pic</link></image>", 0.3),
            self.maybe(e("itunes:author", "Pod Caster"), 0.2), self.maybe(e("ttl", "60")),
            self.maybe("<itunes:owner><itunes:name>N</itunes:name><itunes:email>n@e.org</itunes:email></itunes:owner>", 0.2),
            self.maybe('<itunes:category text="Arts"><itunes:category text="Books"/></itunes:category>', 0.2),
            self.maybe(e("managingEditor", "ed@e.org (Ed)"), 0.2), self.maybe(e("category", "c"), 0.2),
        ]  # fmt: skip
        items = [self.rss_item() for _ in range(self.draw.randint(0, 4))]
        body = head + items if self.draw.random() < 0.8 else items + head
        version = self.pick(("2.0", "2.0", "0.91", "0.92", "2.01", "3.7"))
        prolog = self.pick(
            ('<?xml version="1.0" encoding="utf-8"?>\n', "", "\ufeff<?xml version='1.0'?>")
        )
        return f'{prolog}<rss version="{version}" {RSS_NAMESPACES}><channel>{"".join(body)}</channel></rss>'

    def rdf(self):
        e = self.element
        items = []
        for number in range(self.draw.randint(1, 3)):
            items.append(
                f'<item rdf:about="http://e.org/{number}">' + e("title", self.escaped())
                + e("link", escape(self.pick(LINKS))) + self.maybe(e("description", self.escaped()))
                + self.maybe(e("dc:date", self.pick(DATES))) + self.maybe(e("dc:creator", escape(self.pick(AUTHORS))))
                + self.maybe(e("content:encoded", self.escaped())) + self.maybe(e("dc:subject", self.words().replace("&", "").replace("<", "")))
                + "</item>"
            )  # fmt: skip
        return (
            '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
            'xmlns:content="http://purl.org/rss/1.0/modules/content/">'
            '<channel rdf:about="http://e.org/"><title>RDF</title><link>http://e.org/</link>'
            "<description>d</description>" + self.maybe(e("dc:date", self.pick(DATES)))
            + '<items><rdf:Seq><rdf:li rdf:resource="http://e.org/0"/></rdf:Seq></items></channel>'
            + self.maybe('<image rdf:about="i"><title>pic</title><url>u</url><link>l</link></image>')
            + "".join(items) + "</rdf:RDF>"
        )  # fmt: skip

    def text_construct(self, name):
        kind = self.pick(("none", "text", "html", "xhtml"))
        if kind == "none":
            return self.element(name, escape(self.words()))
        if kind == "text":
            return self.element(name, escape(self.pick((self.words, self.markup))()), type="text")
        if kind == "html":
            return self.element(name, self.escaped(), type="html")
        inner = self.pick((
            "<p>one <a href=\"/r\">two</a></p>", "text &amp; <br/> more", "<b>x</b> tail", "  <p class=\"c\" id=\"a\">y</p> ",
            "<img src=\"p.png\" alt=\"&quot;q&quot;\"/> 中文",
        ))  # fmt: skip
        return self.element(
            name, f'<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>', type="xhtml"
        )

    def atom_entry(self):
        e = self.element
        parts = [
            self.text_construct("title"),
            e("id", self.pick(("tag:e.org,2020:1", "urn:uuid:1-2", "http://e.org/1", "rel/id"))),
            self.maybe(f'<link href={quoteattr(self.pick(LINKS))}/>', 0.9),
            self.maybe('<link rel="enclosure" type="audio/mpeg" length="5" href="/a.mp3" title="t"/>', 0.3),
            self.maybe('<link rel="alternate" type="text/plain" href="/a.txt" hreflang="en"/>', 0.2),
            self.maybe('<link rel="related" href="http://r.org/"/>', 0.2),
            e("updated", self.pick(DATES)),
            self.maybe(e("published", self.pick(DATES))),
            self.maybe(self.text_construct("summary"), 0.6),
            self.maybe(self.text_construct("content"), 0.6),
            self.maybe("<author><name>Ann 李</name><email>a@e.org</email><uri>/ann</uri></author>", 0.6),
            self.maybe("<author><name>Second</name></author>", 0.3),
            self.maybe("<contributor><name>C</name></contributor>", 0.2),
            self.maybe('<category term="t" scheme="http://s.org" label="L"/>', 0.4),
            self.maybe('<category term="t2"/>', 0.3),
            self.maybe("<source><title>S</title><id>s</id><updated>2003-01-01T00:00:00Z</updated></source>", 0.2),
            self.maybe("<rights>r</rights>", 0.2),
            self.maybe('<thr:total xmlns:thr="http://purl.org/syndication/thread/1.0">3</thr:total>', 0.2),
        ]  # fmt: skip
        self.draw.shuffle(parts)
        scope = self.pick(
            ("", ' xml:base="http://base.org/x/"', ' xml:lang="fr"', ' xml:base="sub/"')
        )
        return f"<entry{scope}>" + "\n".join(parts) + "</entry>"

    def atom(self):
        e = self.element
        head = [
            self.text_construct("title"), e("id", "tag:e.org,2020:feed"), e("updated", self.pick(DATES)),
            self.maybe('<link href="http://e.org/"/>'), self.maybe('<link rel="self" href="/atom.xml"/>'),
            self.maybe("<author><name>Feed</name></author>"), self.maybe("<subtitle>sub</subtitle>"),
            self.maybe("<icon>/i.ico</icon>"), self.maybe('<generator uri="http://g.org" version="1">G</generator>'),
        ]  # fmt: skip
        entries = [self.atom_entry() for _ in range(self.draw.randint(0, 4))]
        scope = self.pick(
            ("", ' xml:base="http://b.org/y/"', ' xml:lang="en-GB"', ' xml:lang="zh_CN"')
        )
        return (
            f'<feed xmlns="http://www.w3.org/2005/Atom"{scope}>'
            + "".join(head + entries)
            + "</feed>"
        )

    def any(self):
        return self.pick((self.rss, self.rss, self.atom, self.rdf))()
