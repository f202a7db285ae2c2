"""What feed validators complain about: RFC 4287, RSS 2.0 and JSON Feed 1.1, rule by rule.

Each checker gives complaints in words. No validator of feeds can be installed from a registry, so
these follow the documents; `test_feed_rules.py` shows that each of them can fail.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import lxml.etree as etree
import lxml.html

ATOM = "{http://www.w3.org/2005/Atom}"
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
ALLOWED = {  # RFC 4287, sections 4.1.1, 4.1.2 and 3.2
    "feed": {"author", "category", "contributor", "generator", "icon", "id", "link", "logo",
             "rights", "subtitle", "title", "updated", "entry"},
    "entry": {"author", "category", "content", "contributor", "id", "link", "published", "rights",
              "source", "summary", "title", "updated"},
    "author": {"name", "uri", "email"},
}  # fmt: skip
ONCE = {"generator", "icon", "id", "logo", "rights", "subtitle", "title", "updated", "content",
        "published", "source", "summary"}  # fmt: skip
RSS_CHANNEL = {"title", "link", "description", "language", "copyright", "managingEditor",
               "webMaster", "pubDate", "lastBuildDate", "category", "generator", "docs", "cloud",
               "ttl", "image", "rating", "textInput", "skipHours", "skipDays", "item"}  # fmt: skip
RSS_ITEM = {"title", "link", "description", "author", "category", "comments", "enclosure", "guid",
            "pubDate", "source"}  # fmt: skip
JSON_FEED = {"version", "title", "home_page_url", "feed_url", "description", "user_comment",
             "next_url", "icon", "favicon", "authors", "language", "expired", "hubs", "items"}  # fmt: skip
JSON_ITEM = {"id", "url", "external_url", "title", "content_html", "content_text", "summary",
             "image", "banner_image", "date_published", "date_modified", "authors", "tags",
             "language", "attachments"}  # fmt: skip


def complaints_about_atom(data: bytes) -> list[str]:
    root = etree.fromstring(data)
    if root.tag != f"{ATOM}feed":
        return [f"the root is {root.tag}"]
    found = _element(root, "feed")
    entries = root.findall(f"{ATOM}entry")
    ids = [root.findtext(f"{ATOM}id"), *(e.findtext(f"{ATOM}id") for e in entries)]
    found += [f"id {one} twice" for one in sorted({i for i in ids if ids.count(i) > 1})]
    if not root.findall(f"{ATOM}link[@rel='self']"):
        found.append("no link to itself")
    for entry in entries:
        found += _element(entry, "entry")
        if entry.find(f"{ATOM}author") is None and root.find(f"{ATOM}author") is None:
            found.append("an entry without author")
        has_content = entry.find(f"{ATOM}content") is not None
        if not has_content and not entry.findall(f"{ATOM}link[@rel='alternate']"):
            found.append("an entry without content and link")
    return found


def _element(parent, kind):
    found = []
    names = [child.tag for child in parent]
    for name in names:
        if not name.startswith(ATOM) or name.removeprefix(ATOM) not in ALLOWED[kind]:
            found.append(f"{name} in {kind}")
        elif name.removeprefix(ATOM) in ONCE and names.count(name) > 1:
            found.append(f"{name} more than once in {kind}")
    for name in ("id", "title", "updated"):
        if not (parent.findtext(f"{ATOM}{name}") or "").strip():
            found.append(f"no {name} in {kind}")
    for child in parent:
        found += _child(child)
    seen = [(one.get("type"), one.get("hreflang")) for one in parent.findall(f"{ATOM}link")
            if one.get("rel", "alternate") == "alternate"]  # fmt: skip
    return found + (["two alternates of one type"] if len(set(seen)) < len(seen) else [])


def _child(child):
    name, text = child.tag.removeprefix(ATOM), child.text or ""
    if name in ("updated", "published") and not _is_rfc3339(text):
        return [f"{name} is {text!r}"]
    if name == "id" and not urlsplit(text).scheme:
        return [f"id is {text!r}"]
    if name == "link" and not _is_absolute(child.get("href", "")):
        return [f"link to {child.get('href')!r}"]
    if name == "category" and not child.get("term"):
        return ["a category without term"]
    if name == "author":
        wrong = [c.tag for c in child if c.tag.removeprefix(ATOM) not in ALLOWED["author"]]
        return wrong or ([] if (child.findtext(f"{ATOM}name") or "").strip() else ["no name"])
    if name in ("content", "title", "subtitle", "summary"):
        if child.get("type", "text") not in ("text", "html", "xhtml"):
            return [f"type {child.get('type')}"]
        return _html(text) if child.get("type") == "html" else []
    return []


def complaints_about_rss(data: bytes) -> list[str]:
    root = etree.fromstring(data)
    channel = root.find("channel")
    if root.tag != "rss" or root.get("version") != "2.0" or channel is None:
        return ["no RSS 2.0"]
    found = [f"no {n}" for n in ("title", "link", "description") if not channel.findtext(n)]
    found += [f"{c.tag} in channel" for c in channel
              if c.tag not in RSS_CHANNEL and not c.tag.startswith(ATOM)]  # fmt: skip
    own = channel.findall(f"{ATOM}link[@rel='self']")
    if len(own) != 1 or not _is_absolute(own[0].get("href", "")):
        found.append("no link to itself")
    if not LANGUAGE.fullmatch(channel.findtext("language") or ""):
        found.append("no language")
    guids = []
    for parent in (channel, *channel.findall("item")):
        moment = parent.findtext("pubDate")
        if moment is not None and not _is_rfc822(moment):
            found.append(f"pubDate is {moment!r}")
        if not _is_absolute(parent.findtext("link") or ""):
            found.append(f"link to {parent.findtext('link')!r}")
    for item in channel.findall("item"):
        found += [f"{c.tag} in item" for c in item if c.tag not in RSS_ITEM]
        if not (item.findtext("title") or item.findtext("description")):
            found.append("an item that says nothing")
        guids.append(item.findtext("guid") or "")
        guid = item.find("guid")
        is_link = guid is not None and guid.get("isPermaLink", "true") == "true"
        if guid is None or (is_link and not _is_absolute(guids[-1])):
            found.append("no guid")
        found += _html(item.findtext("description") or "")
    return found + (["a guid twice"] if len(set(guids)) < len(guids) else [])


def complaints_about_json_feed(data: bytes) -> list[str]:
    feed = json.loads(data)
    found = [f"{key} in feed" for key in feed if key not in JSON_FEED and not key.startswith("_")]
    if feed.get("version") != "https://jsonfeed.org/version/1.1":
        found.append("no version")
    if not isinstance(feed.get("title"), str) or not isinstance(feed.get("items"), list):
        found.append("no title or items")
    found += [f"no {key}" for key in ("feed_url", "home_page_url")
              if not _is_absolute(feed.get(key, ""))]  # fmt: skip
    ids = [item.get("id") for item in feed.get("items", ())]
    if len(set(ids)) < len(ids) or not all(isinstance(i, str) and i for i in ids):
        found.append("an id is missing or stands twice")
    for item in feed.get("items", ()):
        found += [f"{k} in item" for k in item if k not in JSON_ITEM and not k.startswith("_")]
        if not ("content_html" in item or "content_text" in item):
            found.append("an item without content")
        found += [f"{k} is {item[k]!r}" for k in ("date_published", "date_modified")
                  if k in item and not _is_rfc3339(item[k])]  # fmt: skip
        found += [f"{k} is {item[k]!r}" for k in ("url", "external_url")
                  if k in item and not _is_absolute(item[k])]  # fmt: skip
        if not all(isinstance(tag, str) and tag for tag in item.get("tags", ())):
            found.append("an empty tag")
        if "language" in item and not LANGUAGE.fullmatch(item["language"]):
            found.append(f"language is {item['language']!r}")
        found += _html(item.get("content_html", ""))
    for person in feed.get("authors", ()):
        if not person.get("name"):
            found.append("an author without name")
    return found


def _html(text):
    """In a feed nothing runs, nothing is relative, nothing styles itself."""
    if not text.strip():
        return []
    found = []
    for element in lxml.html.fragment_fromstring(text, create_parent="div").iter(etree.Element):
        if element.tag in ("script", "style", "iframe", "object", "embed", "form", "meta"):
            found.append(f"<{element.tag}> in content")
        for name, value in element.attrib.items():
            if name.startswith("on") or name == "style":
                found.append(f"{name} in content")
            is_place = name in ("href", "src")
            if is_place and not value.startswith("data:image/") and not _is_absolute(value):
                found.append(f"{name} to {value!r}")
    return found


def _is_absolute(url):
    parts = urlsplit(url)
    return bool(parts.scheme and (parts.netloc or parts.scheme == "mailto"))


def _is_rfc3339(text):
    return bool(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text)
    ) and (datetime.fromisoformat(text).tzinfo is not None)


def _is_rfc822(text):
    try:
        return parsedate_to_datetime(text).tzinfo is not None
    except ValueError:
        return False
