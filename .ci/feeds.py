#!/usr/bin/env python3
"""Reads every feed, sitemap and JSON-LD document of the demo newsroom as those read them for whom they are made.

    .ci/feeds.py BINARY

Needs feedparser, lxml, markdown-it-py and rdflib; .ci/run makes an environment with them. The server is started on a data folder of its
own, and gets one article more whose texts are as odd as texts can be.
"""

import datetime
import email.utils
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import feedparser
import rdflib
from lxml import etree
from lxml import html as lxml_html
from markdown_it import MarkdownIt
from rdflib.namespace import SDO

PASSWORD = "correct horse battery staple 7"
HERE = pathlib.Path(__file__).resolve().parent
ODD = 'Bridge ]]> <b>opens</b> & "closes" \u05e9\u05dc\u05d5\u05dd \U0001f600'
NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
checks = 0


def check(what, is_so, seen=""):
    global checks
    checks += 1
    if not is_so:
        sys.exit(f"FAILED: {what}\n  {seen!r}")


class Server:
    def __init__(self, base):
        self.base, self.token = base, None

    def request(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        body = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            sys.exit(f"FAILED: {method} {path} answered {error.code}: {error.read().decode()}")

    def json(self, method, path, body=None):
        text, _ = self.request(method, path, body)
        return json.loads(text) if text else None

    def all(self, path):
        """Every item of a list."""
        cursor, items = "", []
        while True:
            page = self.json("GET", f"{path}?limit=100{cursor}")
            items += page["data"]
            if not page["page"]["next"]:
                return items
            cursor = f"&cursor={page['page']['next']}"


def odd_article(server):
    login = {"email": "feeds@newsroom.example", "password": PASSWORD}
    server.token = server.json("POST", "/v1/auth/login", login)["access_token"]
    section = server.all("/v1/sections")[0]["id"]
    article = server.json("POST", "/v1/articles", {
        "headline": ODD, "standfirst": ODD, "section": section, "type": "live", "language": "he-IL",
        "bylines": [{"name": "Wire & <Co>"}],
        "lead_image": {"media": {"url": "https://images.example/a.png?b=1&c=2"}, "alt": ODD},
        "body": [{"heading": ODD, "blocks": [
            {"type": "paragraph", "html": "<em>a</em> ]]&gt; &amp;amp; <a href=\"/b?c&amp;d\">e</a>"},
            {"type": "code", "code": "<script>alert(']]>')</script>"}]}]})
    server.json("POST", f"/v1/articles/{article['id']}/publish")
    correction = {"kind": "correction", "text": ODD}
    server.json("POST", f"/v1/articles/{article['id']}/corrections", correction)
    server.token = None


def check_xml(path, text):
    try:
        return etree.fromstring(text)
    except etree.XMLSyntaxError as error:
        sys.exit(f"FAILED: {path} is no XML: {error}")


def check_feed(server, folder):
    seen = {}
    for file in ("rss.xml", "atom.xml"):
        path = f"/feeds{folder}/{file}"
        text, headers = server.request("GET", path)
        document = check_xml(path, text)
        feed = feedparser.parse(text, response_headers={"content-type": headers["Content-Type"]})
        check(f"{path} is read without a fault", not feed.bozo, str(feed.get("bozo_exception")))
        check(f"{path} is what it says", feed.version == {"rss.xml": "rss20", "atom.xml": "atom10"}[file], feed.version)
        for name in ("title", "link", "language") + (("updated", "id") if file == "atom.xml" else ("description",)):
            check(f"{path} has {name}", feed.feed.get(name), dict(feed.feed))
        own = [link.href for link in feed.feed.links if link.rel == "self"]
        check(f"{path} tells where it is", len(own) == 1 and urllib.parse.urlsplit(own[0]).path == path, own)
        if file == "rss.xml":
            email.utils.parsedate_to_datetime(document.findtext("channel/lastBuildDate"))
            for date in document.findall("channel/item/pubDate"):
                email.utils.parsedate_to_datetime(date.text)
            guids = document.findall("channel/item/guid")
            check(f"{path}: ids are no addresses", all(guid.get("isPermaLink") == "false" for guid in guids))
        for entry in feed.entries:
            for name in ("id", "title", "link", "published", "content"):
                check(f"{path}: an entry has {name}", entry.get(name), dict(entry))
            check(f"{path}: a date can be read", entry.published_parsed, entry.published)
            check(f"{path}: an address is absolute", entry.link.startswith("http"), entry.link)
        seen[file] = [(entry.id, entry.link) for entry in feed.entries]
    path = f"/feeds{folder}/feed.json"
    feed = server.json("GET", path)
    for name in ("version", "title", "home_page_url", "feed_url", "items"):
        check(f"{path} has {name}", name in feed, feed)
    for item in feed["items"]:
        for name in ("id", "url", "title", "content_html", "date_published", "date_modified"):
            check(f"{path}: an item has {name}", item.get(name), item)
        datetime.datetime.fromisoformat(item["date_published"])
    seen["feed.json"] = [(item["id"], item["url"]) for item in feed["items"]]
    check(f"the feeds of {folder or 'the site'} agree", seen["rss.xml"] == seen["atom.xml"] == seen["feed.json"], seen)
    ids = [entry for entry, _ in seen["rss.xml"]]
    check(f"ids are unique and URNs in {folder}", len(set(ids)) == len(ids) and all(re.match(r"urn:uuid:[0-9a-f-]{36}$", i) for i in ids), ids)
    return seen["rss.xml"]


def check_sitemaps(server, schema):
    pages = []

    def read(path):
        text, headers = server.request("GET", path)
        check(f"{path} is XML", headers["Content-Type"].startswith("application/xml"), headers["Content-Type"])
        document = check_xml(path, text)
        empty = document.tag.endswith("urlset") and len(document) == 0
        check(f"{path} keeps to its schema", empty or schema.validate(document), str(schema.error_log))
        return document

    for location in read("/sitemap.xml").iter(f"{SITEMAP}loc"):
        path = urllib.parse.urlsplit(location.text).path
        pages += [page.text for page in read(path).iter(f"{SITEMAP}loc")]
    check("no page is in two sitemaps", len(set(pages)) == len(pages))
    news = read("/news-sitemap.xml")
    check("the sitemap of news has news", ODD in [title.text for title in news.iter(f"{NEWS}title")])
    return pages


def check_json_ld(server, article):
    path = f"/v1/articles/{article['id']}/schema.org"
    data = server.json("GET", path)
    check(f"{path} names its context", data.pop("@context") == "https://schema.org", data)
    # The context of schema.org says no more than this of the members that are used.
    context = {"@vocab": "https://schema.org/", "url": {"@type": "@id"}}
    graph = rdflib.Graph().parse(data=json.dumps({"@context": context, **data}), format="json-ld")
    for _, predicate, thing in graph:
        term = thing if predicate == rdflib.RDF.type else predicate
        check(f"{path}: {term} is a word of schema.org", term in SDO, term)
    subject = rdflib.URIRef(data["@id"])
    for name in ("headline", "datePublished", "dateModified", "author", "publisher", "mainEntityOfPage", "isPartOf", "inLanguage",
                 "wordCount", "isAccessibleForFree", "articleSection"):
        check(f"{path} has {name}", graph.value(subject, SDO[name]) is not None, data)
    check(f"{path}: the headline is short enough", len(data["headline"]) <= 110, data["headline"])
    published, modified = (datetime.datetime.fromisoformat(data[name]) for name in ("datePublished", "dateModified"))
    check(f"{path}: it was not changed before it was published", published <= modified, data)
    check(f"{path} tells who may read it", data["isAccessibleForFree"] == (article["access"] == "free") == ("hasPart" not in data), data)
    head = server.json("GET", f"/v1/articles/{article['id']}/meta")
    keys = {meta.get("property") or meta.get("name") for meta in head["meta"]}
    wanted = {"robots", "og:type", "og:title", "og:url", "og:site_name", "article:published_time", "twitter:card"}
    if "-" in article["language"]:
        wanted.add("og:locale")
    check(f"the head of {article['slug']} is whole", wanted <= keys, wanted - keys)


def words(markup):
    """The words of HTML, with the numbers of numbered lists."""
    document = lxml_html.fromstring(f"<div>{markup}</div>")
    for numbered in document.iter("ol"):
        for number, item in enumerate(numbered.findall("li"), 1):
            item.text = f"{number}. {item.text or ''}" if not item.findall("p") else item.text
            if item.findall("p"):
                item.find("p").text = f"{number}. {item.find('p').text or ''}"
    for element in document.iter():
        if element.tag not in ("a", "em", "strong", "code", "sub", "sup", "s", "mark", "span", "small"):
            element.tail = f" {element.tail or ''}"
            element.text = f" {element.text or ''}"
    return [word for word in document.text_content().split() if any(c.isalnum() for c in word)]


def check_bodies(server, article):
    """One body in three formats, which have the same words."""
    def body(form):
        return server.json("GET", f"/v1/articles/{article['id']}?body_format={form}")["body"]

    text = [word for word in body("text").split() if any(c.isalnum() for c in word)]
    rendered = MarkdownIt("commonmark").enable("table").render(body("markdown"))
    check(f"the HTML of {article['slug']} has the words of its text", words(body("html")) == text, (words(body("html")), text))
    check(f"the Markdown of {article['slug']} has the words of its text", words(rendered) == text, (words(rendered), text))


def play(base):
    server = Server(base)
    odd_article(server)
    sections = [f"/sections{section['path']}" for section in server.all("/v1/sections")]
    tags = [f"/tags/{tag['slug']}" for tag in server.all("/v1/tags")]
    authors = [f"/authors/{author['slug']}" for author in server.all("/v1/authors")]
    newest = check_feed(server, "")
    check("the site has a feed", len(newest) > 0)
    check("there is something to read", sections and tags and authors)
    for folder in sections + tags + authors:
        check_feed(server, folder)
    schema = etree.XMLSchema(etree.parse(str(HERE / "sitemap.xsd")))
    pages = check_sitemaps(server, schema)
    articles = server.all("/v1/articles")
    missing = [article["url"] for article in articles if article["url"] not in pages and not article["seo"]["noindex"]
               and article["seo"]["canonical_url"] in (None, article["url"])]
    check("every article is in a sitemap", not missing, missing)
    items = {item["url"]: item["content_html"] for item in server.json("GET", "/feeds/feed.json")["items"]}
    paid = [article for article in articles if article["access"] != "free" and article["url"] in items]
    check("something is behind the paywall", paid)
    for article in paid:
        shown = lxml_html.fromstring(items[article["url"]]).text_content()
        check(f"the feed of the site has only the standfirst of {article['slug']}", shown == article["standfirst"], shown)
    for article in articles:
        check_json_ld(server, article)
        check_bodies(server, article)
    print(f"{checks} checks of {3 * (1 + len(sections + tags + authors))} feeds, {len(pages)} pages in sitemaps and "
          f"{len(articles)} articles as JSON-LD")


def main(binary):
    binary = os.path.realpath(binary)
    with tempfile.TemporaryDirectory(prefix="masthead-feeds.") as data:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MASTHEAD_")}
        environment |= {"MASTHEAD_DATA": data, "MASTHEAD_LISTEN": "127.0.0.1:0", "MASTHEAD_LOG": "error",
                        "MASTHEAD_RATE_LIMIT_ANONYMOUS_READS": "0", "MASTHEAD_PASSWORD": PASSWORD}
        run = lambda *arguments: subprocess.run([binary, *arguments], cwd=data, env=environment, check=True, stdout=subprocess.DEVNULL)
        run("migrate")
        run("demo")
        run("user", "add", "--email", "feeds@newsroom.example", "--name", "Feeds", "--role", "admin")
        server = subprocess.Popen([binary, "serve"], cwd=data, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            for line in server.stdout:
                found = re.search(r"http://\S+", line)
                if found:
                    play(found[0].rstrip("/"))
                    break
            else:
                sys.exit("FAILED: the server did not start")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=30)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
