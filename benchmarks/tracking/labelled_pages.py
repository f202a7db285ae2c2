"""Pages of ten kinds from templates of our own, each with what a reader would say it holds.

The prose is drawn from the sentences below, so that what is expected is known exactly; the templates
imitate what such sites look like (menus, notices, comments, related links), and no more than that.
"""

import json
import random
from html import escape
from typing import NamedTuple

EN = [
    "Libraries have begun to publish short bulletins about research in the open.",
    "The project collects notices from several hundred sources and prints one issue each month.",
    "Readers choose what matters to them, and editors sign what they have translated or checked.",
    "According to its makers, every sentence of a summary is tied to a sentence of the source.",
    "A first trial with forty volunteers ended in March, and most of them asked to stay.",
    "The group measured how long an editor needs for one notice and found eleven minutes.",
    "Nothing is sent to readers before a second person has looked at figures, names and units.",
    "Water levels in the reservoir fell by nine metres between April and the end of July.",
    "Engineers replaced the oldest turbine with one that turns at lower speeds.",
    "The method needs no labels, yet its errors are half of those of the earlier system.",
    "We compare seven models on three languages and report the median of five runs.",
    "Two villages share the cost of the bridge, while the county pays for the road.",
    "Critics say that the sample was small and that winter months were left out.",
    "Her team will repeat the measurements with a second instrument next spring.",
    "The archive holds letters, maps and photographs from more than two centuries.",
    "Every night a small program reads the shelves and notes which volumes are missing.",
    "Early results suggest that the effect is real but weaker than reported before.",
    "The committee will publish its full report, with all data, before the end of the year.",
    "Farmers along the coast have changed to crops that stand salt better than rice.",
    "The new instrument sees light that left its source eight billion years ago.",
    "Students built the first version in a weekend and have kept it running since.",
    "A larger memory would help, although most of the time is spent in waiting for disks.",
    "None of the patients had to leave the study because of side effects.",
    "The software is free, and its makers answer questions on a public list.",
]
ZH = [
    "图书馆开始自行编印科学研究动态快报，内容涵盖人工智能与文献情报等多个领域。",
    "该项目从数百个来源收集消息，由编辑挑选并翻译，每一条都注明来源与日期。",
    "摘要中的每一句话都能追溯到原文中的句子，数字、单位与人名都会自动核对。",
    "下一步，团队计划扩大会议预告与工具介绍两个栏目，并提供可以检索的历史档案。",
    "研究人员在高原湖泊中发现一种新的藻类，它能在零下五度的水中继续生长。",
    "这座水库的水位在四月至七月之间下降了九米，沿岸村庄的灌溉受到影响。",
    "工程师用转速更低的机组替换了最老的一台水轮机，噪声因此减少一半。",
    "新方法不需要人工标注，而错误率只有原有系统的二分之一左右。",
    "我们在三种语言上比较了七个模型，并报告五次运行的中位数。",
    "批评者指出样本量偏小，而且冬季的数据没有包括在内。",
    "课题组将在明年春天用第二台仪器重复全部测量，数据随后公开。",
    "档案馆保存着两百多年来的信件、地图和照片，其中多数尚未编目。",
    "早期结果表明这一效应确实存在，但比此前报道的要弱一些。",
    "沿海农户改种更耐盐碱的作物，三年来收成逐步恢复到原来的水平。",
    "学生们用一个周末写出了第一个版本，此后一直维护至今。",
    "软件完全免费，开发者在公开的邮件列表上回答使用者的问题。",
]
TOPICS_EN = ["Bulletins in the Open", "A Bridge for Two Villages", "Salt, Rice and the Coast",
             "Counting Books at Night", "Light from Eight Billion Years Ago", "Slow Turbines, Quiet Valleys"]  # fmt: skip
TOPICS_ZH = ["图书馆自办快报受到读者欢迎", "高原湖泊发现耐寒新藻类", "沿海农户改种耐盐作物", "慢速机组让山谷安静下来",
             "档案馆公开两百年来的信件", "七个模型在三种语言上的比较"]  # fmt: skip
PEOPLE = ["Ann Lee", "Bo Chen", "Maria Ortiz", "Tom Okafor", "Ilse Brandt", "Ravi Menon"]
PEOPLE_ZH = ["张晓梅", "李建国", "王立新", "陈思远", "赵文博", "周敏"]
COOKIES = (
    '<div id="cookie-banner" class="cookie-consent" role="dialog"><p>We and our 214 partners use cookies to '
    "personalise content and measure audiences. You can change your choice at any time.</p><button>Accept all"
    "</button><button>Settings</button></div>"
)
MONTHS = "January February March April May June July August September October November December"


class Labelled(NamedTuple):
    """A page and what it holds."""

    kind: str
    html: str
    url: str
    text: str
    title: str
    authors: tuple
    date: str
    language: str
    site: str


class Maker:
    """One page's draw."""

    def __init__(self, kind, seed):
        self.kind, self.d = kind, random.Random(f"{kind}{seed}")
        self.bare = seed % 2 == 1  # no metadata: only what is shown
        self.zh = kind in ("chinese news", "wechat")
        self.pool = list(ZH if self.zh else EN)
        self.d.shuffle(self.pool)
        self.topic = (TOPICS_ZH if self.zh else TOPICS_EN)[seed % 6]
        self.people = tuple(self.d.sample(PEOPLE_ZH if self.zh else PEOPLE, 1 + seed % 2))
        self.year, self.month, self.day = (
            2014 + self.d.randrange(11), 1 + self.d.randrange(12), 1 + self.d.randrange(28))  # fmt: skip
        self.date = f"{self.year}-{self.month:02}-{self.day:02}"
        self.spoken = f"{self.day} {MONTHS.split()[self.month - 1]} {self.year}"

    def prose(self, n):
        """A paragraph of sentences that no other paragraph has."""
        taken = [self.pool.pop() for _ in range(min(n, len(self.pool)))]
        return ("" if self.zh else " ").join(taken)

    def menu(self, words):
        """A navigation bar."""
        items = "".join(f'<li><a href="/{i}">{w}</a></li>' for i, w in enumerate(words.split()))
        return f'<nav class="menu"><ul>{items}</ul></nav>'

    def related(self, name, titles):
        """Links to other pages under a heading."""
        items = "".join(f'<li><a href="/r/{i}">{t}</a></li>' for i, t in enumerate(titles))
        return f'<aside class="related"><h3>{name}</h3><ul>{items}</ul></aside>'

    def head(self, title, site, joint, **extra):
        """Title element and, on every second page, metadata."""
        found = [f'<meta charset="utf-8"><title>{escape(title)}{joint}{site}</title>']
        if not self.bare:
            meta = {"og:title": title, "og:site_name": site, "article:published_time": f"{self.date}T08:00:00Z"} | extra  # fmt: skip
            found += [f'<meta property="{k}" content="{escape(v)}">' for k, v in meta.items()]
            found += [f'<meta name="author" content="{escape(", ".join(self.people))}">']
        return "".join(found)

    def page(self, head, body, blocks, site, title, path, *, authors=None, language=None):
        """The finished page with its label."""
        language = language or ("zh" if self.zh else "en")
        lang = {"zh": "zh-CN"}.get(language, language)
        html = f'<!DOCTYPE html><html lang="{lang}"><head>{head}</head><body>{body}</body></html>'
        return Labelled(
            self.kind, html, path, "\n\n".join(blocks), title,
            self.people if authors is None else authors, self.date, language, site)  # fmt: skip


def blog(m):
    ps = [m.prose(2), m.prose(3), m.prose(2)]
    verse = "So turn the wheel, turn the wheel."
    quote = f"<blockquote><p>{verse}</p><p>{ps[1]}</p><p>{verse}</p></blockquote>"
    by = " and ".join(m.people)
    body = (
        f'{m.menu("Home About Archive RSS")}<main><article class="post"><header><h1>{m.topic}</h1><p class="byline">'
        f'By {by} on <time datetime="{m.date}">{m.spoken}</time></p></header><div class="entry-content"><p>{ps[0]}</p>'
        f'{quote}<p>{ps[2]}</p></div></article><section id="comments" class="comments"><h2>3 comments</h2><div class='
        '"comment"><b>Zed</b><p>I tried the same thing last year and it never worked for me at all.</p></div><div class='
        '"comment"><b>Yves</b><p>Great write-up, thank you so much for sharing it with everybody.</p></div></section>'
        f"</main>{m.related('Older posts', TOPICS_EN)}<footer>Powered by a static generator. © Quiet Pages</footer>"
    )
    blocks = [ps[0], verse, ps[1], verse, ps[2]]
    return m.page(m.head(m.topic, "Quiet Pages", " | "), body, blocks, "Quiet Pages", m.topic, f"https://quietpages.example/{m.year}/wheel")  # fmt: skip


def news(m):
    ps = [m.prose(2) for _ in range(5)]
    ld = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": m.topic, "datePublished": m.date,
          "author": [{"@type": "Person", "name": p} for p in m.people],
          "publisher": {"@type": "Organization", "name": "Harbour Post"}}  # fmt: skip
    head = m.head(m.topic, "Harbour Post", " - ")
    head += "" if m.bare else f'<script type="application/ld+json">{json.dumps(ld)}</script>'
    inline = '<p class="newsletter-signup">Sign up for our morning newsletter</p><div class="ad">Advertisement</div>'
    body = (
        f"{COOKIES}<header>{m.menu('World Local Sport Weather Money Opinion')}</header><main><h1>{m.topic}</h1><div "
        f'class="meta"><span class="author">By {", ".join(m.people)}</span><span class="date">{m.spoken}</span></div>'
        f'<figure><img src="/a.jpg" alt=""><figcaption>The harbour in spring. Photograph: agency</figcaption></figure>'
        f'<div class="story-body"><p>{ps[0]}</p><p>{ps[1]}</p>{inline}<h2>What happens next</h2><p>{ps[2]}</p><p>{ps[3]}'
        f'</p><p>{ps[4]}</p></div><div class="share"><a href="#">Share</a> <a href="#">Tweet</a></div></main>'
        f"{m.related('Most read', TOPICS_EN)}<footer><p>© Harbour Post Media Ltd. All rights reserved. Terms Privacy"
        "</p></footer>"
    )
    blocks = [ps[0], ps[1], "What happens next", *ps[2:]]
    return m.page(head, body, blocks, "Harbour Post", m.topic, "https://harbourpost.example/local/4711")  # fmt: skip


def press(m):
    ps = [m.prose(3), m.prose(2), m.prose(2)]
    paper = "Journal of Small Things, doi 10.1000/small.7"
    body = (
        f'<div class="top">{m.menu("Study Research Campus Library People")}</div><div id="content"><div class="crumbs">'
        f'<a href="/">Home</a> &gt; <a href="/n">News</a></div><h1>{m.topic}</h1><div class="pubdate">{m.spoken}</div>'
        f'<p class="lead"><strong>{ps[0]}</strong></p><p>{ps[1]}</p><p>{ps[2]}</p><h3>Publication</h3><p>{paper}</p></div>'
        '<div class="contact-box"><h4>Contact</h4><p>Press office, Tel. 555 0100, press@northfield.example</p></div>'
        f"{m.related('Further news', TOPICS_EN[:4])}<footer>Northfield University, 1 College Road, Imprint</footer>"
    )
    head = m.head(m.topic, "Northfield University", " : ").replace('name="author"', 'name="x"')
    return m.page(head, body, [*ps, "Publication", paper], "Northfield University", m.topic, "https://www.northfield.example/news/12", authors=())  # fmt: skip


def lab(m):
    title = "Reading Machines Group"
    ps, items = [m.prose(3), m.prose(2)], [m.prose(1) for _ in range(4)]
    body = (
        f'<table width="100%"><tr><td colspan="2"><img src="logo.gif"></td></tr><tr><td width="150">'
        f'<a href="a">Home</a><br><a href="b">People</a><br><a href="c">Papers</a><br><a href="d">Teaching</a></td><td>'
        f"<h1>{title}</h1><p>{ps[0]}</p><p>{ps[1]}</p><h2>Projects</h2><ul>{''.join(f'<li>{i}</li>' for i in items)}</ul>"
        f"<p><small>Last update: {m.date}</small></p></td></tr></table>"
    )
    head = f'<meta charset="utf-8"><title>{title} | Eastlake Institute</title>'
    head += "" if m.bare else f'<meta name="date" content="{m.date}">'
    return m.page(head, body, [*ps, "Projects", *items], "Eastlake Institute", title, "http://eastlake.example/~rm/", authors=())  # fmt: skip


def documentation(m):
    title = "Configuring the watcher"
    ps = [m.prose(2), m.prose(2), m.prose(1)]
    code = "[watch]\nevery = 30\nsources = 12\npath = archive"
    rows = [("every", "minutes between two rounds"), ("path", "folder of the archive"), ("depth", "links that are followed")]  # fmt: skip
    table = "".join(f"<tr><td>{a}</td><td>{b}</td></tr>" for a, b in rows)
    body = (
        f'<div class="sidebar">{m.menu("Install Tutorial Reference Changelog FAQ Licence")}</div><div role="main" class='
        f'"document"><h1>{title}</h1><p>{ps[0]}</p><pre><code>{code}</code></pre><p>{ps[1]}</p><h2>Settings</h2><table>'
        f"<tr><th>Name</th><th>Meaning</th></tr>{table}</table><p>{ps[2]}</p></div><div class='pager'><a href='p'>"
        f'Previous</a> <a href="n">Next</a></div><footer>Built from the sources on {m.spoken}. © Watchdocs makers</footer>'
    )
    head = m.head(title, "Watchdocs", " — ").replace('name="author"', 'name="x"')
    blocks = [ps[0], code, ps[1], "Settings", "Name Meaning", *(f"{a} {b}" for a, b in rows), ps[2]]
    return m.page(head, body, blocks, "Watchdocs", title, "https://watchdocs.example/config.html", authors=())  # fmt: skip


def forum(m):
    title = "Why does the " + m.d.choice(["parser", "watcher", "indexer"]) + " stop at night?"
    posts = [m.prose(3), m.prose(2), m.prose(3)]
    m.people = m.people[:1]
    names = [m.people[0], "kestrel", "nightowl"]
    shown = "".join(
        f'<div class="post" id="p{i}"><div class="user"><span class="username{" author" if i == 0 else ""}">{n}</span>'
        f"<span class='rank'>Member since 2011</span></div><div class='postbody'><p>{p}</p></div><div class='buttons'>"
        '<a href="#">Reply</a> <a href="#">Quote</a> <a href="#">Report</a></div></div>'
        for i, (n, p) in enumerate(zip(names, posts, strict=True))
    )
    body = (
        f'{COOKIES}{m.menu("Forums Members Search Login Register")}<h1>{title}</h1><p class="date">Started {m.spoken}</p>'
        f'<div class="thread">{shown}</div><div class="pages"><a href="?2">2</a> <a href="?3">3</a></div>'
        f"{m.related('Similar threads', TOPICS_EN[:3])}<footer>Forum software, all times are UTC</footer>"
    )
    return m.page(m.head(title, "Tinkers Forum", " | "), body, posts, "Tinkers Forum", title, "https://forum.tinkers.example/t/99")  # fmt: skip


def abstract(m):
    ps = m.prose(6)
    last = [f"{p.split()[1]}, {p.split()[0]}" for p in m.people]
    head = f"<meta charset='utf-8'><title>[2001.{m.day:05}] {m.topic}</title>"
    if not m.bare:
        head += f'<meta name="citation_title" content="{m.topic}"><meta name="citation_date" content="{m.year}/{m.month:02}/{m.day:02}">'
        head += "".join(f'<meta name="citation_author" content="{n}">' for n in last)
    head += '<meta property="og:site_name" content="arXiv.org">'
    links = ", ".join(f'<a href="/a/{i}">{p}</a>' for i, p in enumerate(m.people))
    spoken = f"{m.day} {MONTHS.split()[m.month - 1][:3]} {m.year}"
    body = (
        f'<div class="header"><a href="/">arXiv</a> <form><input><button>Search</button></form></div><div id="content">'
        f'<div class="subheader"><h2>Computer Science &gt; Digital Libraries</h2></div><div class="dateline">[Submitted on '
        f'{spoken}]</div><h1 class="title"><span class="descriptor">Title:</span>{m.topic}</h1><div class="authors"><span '
        f'class="descriptor">Authors:</span>{links}</div><blockquote class="abstract"><span class="descriptor">Abstract:'
        f'</span>{ps}</blockquote></div><div class="extra-services"><h3>Access</h3><ul><li><a href="/p">View PDF</a></li>'
        "<li>TeX source</li></ul><h3>References and citations</h3></div><footer>About Help Contact Subscribe</footer>"
    )
    return m.page(head, body, [ps], "arXiv.org", m.topic, "https://arxiv.org/abs/2001.00001")


def conference(m):
    title = f"Workshop on Quiet Libraries {m.year}"
    ps, topics = [m.prose(3), m.prose(2)], [m.prose(1) for _ in range(3)]
    rows = [("Submission", "1 March"), ("Notification", "15 April"), ("Workshop", "9 June")]
    body = (
        f'{m.menu("Call Programme Venue Committee")}<div class="jumbotron"><h1>{title}</h1></div><div class="container">'
        f"<p>{ps[0]}</p><h2>Topics</h2><ul>{''.join(f'<li>{t}</li>' for t in topics)}</ul><h2>Dates</h2><table>"
        f"{''.join(f'<tr><td>{a}</td><td>{b}</td></tr>' for a, b in rows)}</table><p>{ps[1]}</p><p class='date'>Posted "
        f'{m.spoken}</p></div><div class="sponsors"><h4>Sponsors</h4><a href="x">Gold</a> <a href="y">Silver</a></div>'
        "<footer>Site by volunteers</footer>"
    )
    head = m.head(title, "QuietConf", " | ").replace('name="author"', 'name="x"')
    blocks = [ps[0], "Topics", *topics, "Dates", *(f"{a} {b}" for a, b in rows), ps[1]]
    return m.page(head, body, blocks, "QuietConf", title, "https://quietconf.example/", authors=())


def chinese_news(m):
    ps = [m.prose(2) for _ in range(5)]
    site = m.d.choice(["科学网", "江岸日报", "中国文献网"])
    joint = m.d.choice(["_", "-", " - "])
    body = (
        f'{m.menu("首页 要闻 科技 教育 财经 视频")}<div class="crumb">当前位置：<a href="/">首页</a> &gt; <a href="/k">科技</a></div>'
        f'<div class="article"><h1>{m.topic}</h1><div class="info">{m.year}年{m.month:02}月{m.day:02}日 08:30　来源：江岸通讯社　'
        f"作者：{'、'.join(m.people)}　<span>字号：大 中 小</span></div><div class='TRS_Editor'>"
        f"{''.join(f'<p>　　{p}</p>' for p in ps)}</div><p class='editor'>（责任编辑：钱宁）</p></div><div class='share'>分享到："
        f"<a href='#'>微博</a><a href='#'>微信</a></div>{m.related('相关新闻', TOPICS_ZH)}<div class='comments'><p>网友评论：写得真好，"
        "期待后续报道，也希望能看到更多数据。</p></div><div class='foot'>版权所有 京ICP备00000000号 关于我们 联系我们</div>"
    )
    return m.page(m.head(m.topic, site, joint), body, ps, site, m.topic, "https://news.jiangan.example/c/1.html")  # fmt: skip


def wechat(m):
    ps = [m.prose(2) for _ in range(4)]
    site, m.people = "快报编辑部", m.people[:1]
    head = f'<meta charset="utf-8"><meta property="og:title" content="{m.topic}"><title>{m.topic}</title>'
    if not m.bare:
        head += f'<meta name="author" content="{m.people[0]}"><meta property="og:site_name" content="{site}">'
    body = (
        f'<div id="js_article" class="rich_media"><div class="rich_media_inner"><h1 class="rich_media_title" id="activity-name">'
        f'{m.topic}</h1><div id="meta_content" class="rich_media_meta_list"><span class="rich_media_meta rich_media_meta_text">'
        f"作者：{m.people[0]}</span><span class='rich_media_meta rich_media_meta_nickname' id='profileBt'><a href='#' "
        f"id='js_name'>{site}</a></span><em id='publish_time' class='rich_media_meta rich_media_meta_text'>{m.date} 09:12</em>"
        f"</div><div class='rich_media_content' id='js_content'>{''.join(f'<section><p><span>{p}</span></p></section>' for p in ps)}"
        "</div></div><div class='rich_media_tool'>阅读 1024　赞 36　在看 12</div><div class='qr_code_pc'>微信扫一扫关注该公众号</div></div>"
    )
    return m.page(head, body, ps, site, m.topic, "https://mp.weixin.qq.com/s/abc")


KINDS = {"blog": blog, "news": news, "university press": press, "lab page": lab, "documentation": documentation,
         "forum": forum, "abstract": abstract, "conference": conference, "chinese news": chinese_news,
         "wechat": wechat}  # fmt: skip


def labelled_pages(n_each):
    """So many pages of each kind; every second one without any metadata."""
    return [make(Maker(kind, seed)) for kind, make in KINDS.items() for seed in range(n_each)]
