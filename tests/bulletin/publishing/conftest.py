"""Two rich issues made by hand, English and Chinese, that every rendering is tried on."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from kuaibao.bulletin.model import (
    Conference,
    Draft,
    DraftSentence,
    Entry,
    Evidence,
    Fact,
    Figure,
    Issue,
    IssueItem,
    IssueSection,
    Item,
    PartialDate,
    Signature,
)

UTC = UTC

TRIANGLE = """<svg xmlns="http://www.w3.org/2000/svg" width="320" height="150" viewBox="0 0 320 150">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 L8 4 L0 8 z" fill="#a81e16"/></marker></defs>
<g fill="#f3eee3" stroke="#57524a"><rect x="10" y="45" width="80" height="54" rx="6"/>
<rect x="120" y="45" width="80" height="54" rx="6"/><rect x="230" y="45" width="80" height="54" rx="6"/></g>
<g stroke="#a81e16" stroke-width="2" marker-end="url(#tip)"><path d="M92 72 H116"/><path d="M202 72 H226"/></g>
<g font-family="sans-serif" font-size="14" fill="#1d1b18" text-anchor="middle">
<text x="50" y="77">sources</text><text x="160" y="77">drafts</text><text x="270" y="77">issue</text></g>
<script>alert(1)</script></svg>"""

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGNYISGBBzGMSksA"
    "APU4P0H3cQxNAAAAAElFTkSuQmCC"
)


def day(year, month, number):
    return PartialDate(value=datetime(year, month, number, tzinfo=UTC), precision="day")


def said(text, number=None, source="", warnings=()):
    evidence = ()
    if number is not None:
        evidence = (Evidence(sentence=number, start=0, end=len(source), text=source or text),)
    return DraftSentence(text=text, evidence=evidence, warnings=warnings)


def signed(compiler, proofreader):
    return (
        Signature(role="compiled", person=compiler),
        Signature(role="proofread", person=proofreader),
    )


def item(entry, draft, *, also=(), section="news", signatures=(), body="", figures=()):
    story = Item(item_id=draft.item_id, entries=(entry, *also), section=section)
    return IssueItem(
        item=story, draft=draft, signatures=signatures, body_markdown=body, figures=figures
    )


def section(kind, *items, title=""):
    return IssueSection(kind=kind, title=title, items=items)


def make_english_issue():
    deep = item(
        Entry(
            source_id="openai-blog", entry_id="d1", kind="article",
            title="Pixels as words: an image model without pictures in mind",
            url="https://example.org/image-gpt", authors=("Ada Lin", "Bo Chen"),
            published=day(2020, 6, 17), language="en", venue="Example Lab Notes",
        ),
        Draft(item_id="d1", language="en", title="A sequence model learns to finish pictures", is_machine=False, strategy="person"),
        section="in_depth",
        signatures=signed("Mengting Zhang", "Chao'an Li"),
        body=(
            "A model that was built to guess the *next word* can be handed a row of pixels instead. "
            "Nothing in it knows that pixels lie in a plane; it learns the plane from order alone.\n\n"
            "#### Why it matters\n\n"
            "- One architecture serves **two kinds of data**.\n"
            "- Its middle layers hold features good enough for a linear classifier.\n"
            "- The price is computing time: attention grows with the square of the sequence.\n\n"
            "```penrose\nsources -> drafts -> issue\n```\n\n"
            "> A palette of 512 colours cuts a picture to a third of its length.\n\n"
            "| Model | Layers | Width |\n|---|---|---|\n| iGPT-S | 24 | 512 |\n| iGPT-M | 36 | 1024 |\n| iGPT-L | 48 | 1536 |\n\n"
            "More in [the lab's notes](https://example.org/image-gpt) and in `palette.py`."
        ),
        figures=(
            Figure(
                svg=TRIANGLE, alt="Three boxes in a row: sources, drafts, issue.",
                caption="From sources to an issue.", source="Kuaibao", source_url="https://example.org/figures",
                replaces="sources -> drafts -> issue",
            ),
        ),
    )  # fmt: skip
    news_1 = item(
        Entry(
            source_id="library-news", entry_id="n1", title="Open repositories agree on one way to say what may be reused",
            url="https://example.org/news/1?a=1&b=2", published=day(2020, 6, 9), language="en", venue="Library Wire",
            licence="CC BY 4.0",
        ),
        Draft(
            item_id="n1", language="en", title="Open repositories agree on one way to say what may be reused",
            sentences=(
                said("Twelve repositories will print the licence of every file in the same field.", 2,
                     "Twelve repositories have agreed that, from September, the licence of every file is printed in the same field."),
                said("Older records are to follow within 18 months.", 5, "Older records follow within a year and a half.",
                     warnings=("18 is not in the source sentence",)),
            ),
            key_phrases=("open repositories", "licences", "metadata"), strategy="ind-orig",
        ),
        also=(
            Entry(source_id="repo-blog", entry_id="n1b", title="One field for licences", url="https://example.net/one-field", language="en"),
        ),
    )  # fmt: skip
    news_2 = item(
        Entry(
            source_id="cas", entry_id="n2", title="开放科学基础设施建设进入新阶段", url="https://example.org/zh/2",
            published=day(2020, 6, 11), language="zh", venue="科技观察",
        ),
        Draft(
            item_id="n2", language="en", title="Open science infrastructure enters a new phase",
            sentences=(said("National platforms now share one identifier for data sets.", 0, "国家平台现已共用一套数据集标识。"),),
            is_machine=False, strategy="person",
        ),
        signatures=(Signature(role="translated", person="Li Wei"), Signature(role="proofread", person="Ada Lin")),
    )  # fmt: skip
    tool = item(
        Entry(
            source_id="installed", entry_id="t1", kind="tool", title="typst 0.15.2", url="https://example.org/typst",
            published=PartialDate(value=datetime(2026, 10, 1, tzinfo=UTC), precision="month"), language="en",
        ),
        Draft(
            item_id="t1", language="en", title="typst: a typesetter that takes data as data",
            sentences=(said("It sets sixteen pages in less than a second and tags them for screen readers.", 1, "Tagged PDF is on by default."),),
            facts=(Fact(label="version", value="0.15.2"), Fact(label="licence", value="Apache-2.0"), Fact(label="home page", value="https://example.org/typst")),
            strategy="lead",
        ),
        section="tools",
    )  # fmt: skip
    paper = item(
        Entry(
            source_id="arxiv-cl", entry_id="p1", kind="paper", title="Gap sentences as a pre-training goal for summaries of $long$ texts",
            url="https://example.org/abs/2006.00001", authors=("Jing Qi Zhang", "Yao Zhao", "The Text & Data Group"),
            published=day(2020, 6, 3), language="en", venue="Proceedings of the Example Conference",
            identifiers=(("arxiv", "2006.00001v2"), ("doi", "10.1000/ex.2020_1")), licence="abstract only",
        ),
        Draft(
            item_id="p1", language="en", title="Gap sentences as a pre-training goal for summaries of $long$ texts",
            fields=(
                ("background", (said("Summaries are costly to write, texts are not.", 0, "Reference summaries are expensive."),)),
                ("innovation", (said("Whole sentences are hidden, chosen because they stand for the rest.", 2, "We mask whole sentences, selected by ROUGE against the remainder."),)),
                ("model", (said("An encoder-decoder with sixteen layers on each side.", 4, "PEGASUS-large has 16 encoder and 16 decoder layers."),)),
                ("experiments", (said("Twelve data sets, from news to bills.", 5, "We evaluate on 12 downstream sets."), said("Also with a hundred examples only.", 6, "We also fine-tune on 100 examples."))),
                ("results", (said("Best known scores on all twelve.", 7, "State of the art on all 12."),)),
            ),
            key_phrases=("summarization", "pre-training"), strategy="ind-orig",
        ),
        section="papers", signatures=signed("Wang Fang", "Liu Yang"),
    )  # fmt: skip
    meeting_1 = item(
        Entry(
            source_id="calendar", entry_id="c1", kind="conference", title="22nd International Conference on Asia-Pacific Digital Libraries (ICADL 2020)",
            url="https://icadl.example.org/2020", language="en",
            conference=Conference(
                name="ICADL 2020", start=date(2020, 11, 30), end=date(2020, 12, 1), place="Kyoto, Japan (online)",
                deadline=PartialDate(value=datetime(2020, 7, 11, 11, 59, tzinfo=UTC), precision="minute", zone="AoE"),
            ),
        ),
        Draft(item_id="c1", language="en", title="ICADL 2020: Asia-Pacific digital libraries", is_machine=False, strategy="person",
              sentences=(said("Long papers, short papers and posters on digital libraries."),)),
        section="conferences", signatures=signed("Wang Fang", "Liu Yang"),
    )  # fmt: skip
    meeting_2 = item(
        Entry(
            source_id="calendar", entry_id="c2", kind="conference", title="World Library and Information Congress", url="https://wlic.example.org/",
            language="en",
            conference=Conference(name="IFLA WLIC 2020", start=date(2020, 8, 15), end=date(2020, 8, 21), place="Dublin, Ireland",
                                  deadline=day(2020, 7, 1)),
        ),
        Draft(item_id="c2", language="en", title="IFLA WLIC 2020: World Library and Information Congress", strategy="lead"),
        section="conferences",
    )  # fmt: skip
    return Issue(
        series="Research Scan Bulletin", title="Machine Learning and Libraries", language="en", number=6, running_number=66,
        day=date(2020, 6, 25), publisher="Example Institute Library", editors=("Chao'an Li", "Wang Fang"),
        contact="bulletin@example.org", base_url="https://bulletin.example.org/2020/6/",
        disclaimer="Summaries are ours; the rights in the originals stay with their authors.",
        highlights=(
            "A model for words finishes pictures",
            "Twelve repositories agree on one field for licences",
            "Hiding whole sentences teaches a model to summarise",
            "ICADL 2020 takes papers until 10 July",
        ),
        sections=(
            section("in_depth", deep, title="In depth"), section("news", news_1, news_2, title="Research news"),
            section("tools", tool, title="Projects and tools"), section("papers", paper, title="Recent papers"),
            section("conferences", meeting_1, meeting_2, title="Upcoming conferences"),
        ),
        content_hash="5f" * 32,
    )  # fmt: skip


def make_chinese_issue():
    deep = item(
        Entry(
            source_id="openai-blog", entry_id="d1", kind="article", title="Pixels as words: an image model without pictures in mind",
            url="https://example.org/image-gpt", authors=("Ada Lin", "Bo Chen"), published=day(2020, 6, 17), language="en", venue="Example Lab Notes",
        ),
        Draft(item_id="d1", language="zh", title="序列模型学会补全图像：把像素当作词语", is_machine=False, strategy="person"),
        section="in_depth", signatures=signed("张梦婷", "李朝安"),
        body=(
            "原本用来预测“下一个词”的模型，也可以改为预测下一个像素。模型并不知道像素排在平面上，"
            "它只从先后次序中学会了平面结构（见《图像 GPT》一文）。研究者把 32×32 的图像按行展开，"
            "再用含 512 种颜色的调色板压缩序列，长度只剩原来的三分之一。\n\n"
            "#### 为什么重要\n\n"
            "- 同一种结构可以处理**两类数据**；\n- 中间层的特征足以支持线性分类器；\n- 代价是计算量：注意力随序列长度的平方增长。\n\n"
            "```penrose\n来源 -> 稿件 -> 快报\n```\n\n"
            "> “只要次序，不要坐标。”——作者在结论中这样概括。\n\n"
            "| 模型 | 层数 | 宽度 |\n|---|---|---|\n| iGPT-S | 24 | 512 |\n| iGPT-L | 48 | 1536 |\n\n"
            "更多内容见[实验室笔记](https://example.org/image-gpt)与 `palette.py`。"
        ),
        figures=(Figure(svg=TRIANGLE, alt="三个方框：来源、稿件、快报。", caption="从来源到一期快报", source="快报编辑部", replaces="来源 -> 稿件 -> 快报"),),
    )  # fmt: skip
    news_1 = item(
        Entry(
            source_id="library-news", entry_id="n1", title="Open repositories agree on one way to say what may be reused",
            url="https://example.org/news/1?a=1&b=2", published=day(2020, 6, 9), language="en", venue="Library Wire",
        ),
        Draft(
            item_id="n1", language="zh", title="十二家开放仓储就再利用许可的标注方式达成一致",
            sentences=(
                said("十二家仓储将在同一字段中标明每个文件的许可（License）。", 2, "Twelve repositories have agreed that the licence of every file is printed in the same field."),
                said("旧记录将在 18 个月内补齐。", 5, "Older records follow within a year and a half.", warnings=("数字 18 不见于原句",)),
            ),
            key_phrases=("开放仓储", "许可", "元数据"), strategy="person", is_machine=False,
        ),
        signatures=signed("王芳", "刘洋"),
    )  # fmt: skip
    news_2 = item(
        Entry(
            source_id="cas", entry_id="n2", title="开放科学基础设施建设进入新阶段", url="https://example.org/zh/2", published=day(2020, 6, 11), language="zh", venue="科技观察",
        ),
        Draft(
            item_id="n2", language="zh", title="开放科学基础设施建设进入新阶段",
            sentences=(
                said("国家平台现已共用一套数据集标识，科研人员可以直接引用数据。", 0, "国家平台现已共用一套数据集标识，科研人员可以直接引用数据。"),
                said("新冠疫情期间，开放数据的下载量增长了两倍。", 3, "新冠疫情期间，开放数据的下载量增长了两倍。"),
            ),
            strategy="ind-orig",
        ),
    )  # fmt: skip
    tool = item(
        Entry(source_id="installed", entry_id="t1", kind="tool", title="typst 0.15.2", url="https://example.org/typst",
              published=PartialDate(value=datetime(2026, 10, 1, tzinfo=UTC), precision="month"), language="en"),
        Draft(
            item_id="t1", language="zh", title="Typst：以数据为数据的排版工具",
            sentences=(said("十六页文档不到一秒即可排完，并自动为读屏软件加上标签。", 1, "Tagged PDF is on by default."),),
            facts=(Fact(label="version", value="0.15.2"), Fact(label="licence", value="Apache-2.0"), Fact(label="home page", value="https://example.org/typst")),
            strategy="person", is_machine=False,
        ),
        section="tools", signatures=signed("王芳", "刘洋"),
    )  # fmt: skip
    paper = item(
        Entry(
            source_id="arxiv-cl", entry_id="p1", kind="paper", title="Gap sentences as a pre-training goal for summaries of long texts",
            url="https://example.org/abs/2006.00001", authors=("Jing Qi Zhang", "Yao Zhao"), published=day(2020, 6, 3), language="en",
            venue="Proceedings of the Example Conference", identifiers=(("arxiv", "2006.00001v2"), ("doi", "10.1000/ex.2020_1")),
        ),
        Draft(
            item_id="p1", language="zh", title="以“空缺句”为预训练目标的长文摘要方法",
            fields=(
                ("background", (said("人工摘要成本高，而原始文本随处可得。", 0, "Reference summaries are expensive."),)),
                ("innovation", (said("遮盖整句而不是单词，所选句子应能代表全文其余部分。", 2, "We mask whole sentences, selected by ROUGE against the remainder."),)),
                ("model", (said("编码器与解码器各 16 层（PEGASUS-large）。", 4, "PEGASUS-large has 16 encoder and 16 decoder layers."),)),
                ("experiments", (said("在 12 个数据集上评测，涵盖新闻、论文与法案；", 5, "We evaluate on 12 downstream sets."), said("另以 100 条样例做少样本微调。", 6, "We also fine-tune on 100 examples."))),
                ("results", (said("在全部 12 个数据集上取得当时最好成绩。", 7, "State of the art on all 12."),)),
            ),
            key_phrases=("自动摘要", "预训练"), strategy="person", is_machine=False,
        ),
        section="papers", signatures=signed("张梦婷", "李朝安"),
    )  # fmt: skip
    english = make_english_issue().sections[-1]
    titles = (
        "第二十二届亚太数字图书馆国际会议（ICADL 2020）",
        "世界图书馆与信息大会（IFLA WLIC 2020）",
    )
    places = ("日本京都（线上）", "爱尔兰都柏林")
    meetings = []
    for original, title, place in zip(english.items, titles, places, strict=True):
        entry = original.item.lead
        entry = replace(entry, conference=replace(entry.conference, place=place))
        draft = replace(original.draft, language="zh", title=title, sentences=())
        meetings.append(
            item(entry, draft, section="conferences", signatures=signed("王芳", "刘洋"))
        )
    return Issue(
        series="跟踪扫描动态快报", title="人工智能与图书馆专辑", language="zh", number=6, running_number=66, day=date(2020, 6, 25),
        publisher="示例研究院图书馆", editors=("李朝安", "王芳"), contact="bulletin@example.org",
        base_url="https://bulletin.example.org/2020/6/zh/", disclaimer="本刊摘要由编译人员撰写，原文版权归原作者所有。",
        highlights=("预测词语的模型学会补全图像", "十二家仓储统一许可标注", "遮盖整句的预训练带来更好的摘要", "ICADL 2020 征稿截止 7 月 10 日"),
        sections=(
            section("in_depth", deep, title="深度关注"), section("news", news_1, news_2, title="研究动态"),
            section("tools", tool, title="项目与工具"), section("papers", paper, title="最新论文"),
            section("conferences", *meetings, title="会议预告"),
        ),
        content_hash="a7" * 32,
    )  # fmt: skip


@pytest.fixture(scope="session")
def english_issue():
    return make_english_issue()


@pytest.fixture(scope="session")
def chinese_issue():
    return make_chinese_issue()


@pytest.fixture(scope="session")
def pixel():
    return PIXEL
