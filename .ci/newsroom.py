#!/usr/bin/env python3
"""Plays an article page, as a newsroom published it, through a running server, and checks what a frontend gets.

    .ci/newsroom.py BINARY PAGE.txt [DATABASE_URL]

PAGE.txt holds, parted by blank lines: the site's header, the date, the headline, the standfirst, paragraphs, headings,
and a line "Read More: HEADLINE" that links another article. The server is started on a data folder of its own.
"""

import datetime
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

PASSWORD = "correct horse battery staple 7"
# What the page is about: the places, people and organisations that it names.
TAGS = [
    ("Iran", "place"), ("Pakistan", "place"), ("Afghanistan", "place"), ("Kabul", "place"), ("Islamabad", "place"),
    ("Kandahar", "place"), ("Nimroz", "place"), ("Hassan Kazemi Ghomi", "person"), ("Asif Durrani", "person"),
    ("Fazlur Rehman", "person"), ("Haibatullah Akhundzada", "person"), ("Reza Ameri", "person"),
    ("Taliban", "organisation"), ("Tehreek-e-Taliban Pakistan", "organisation"), ("JUI-F", "organisation"),
]
checks = 0


def check(what, got, wanted):
    global checks
    checks += 1
    if got != wanted:
        sys.exit(f"FAILED: {what}\n  got:    {got!r}\n  wanted: {wanted!r}")


def read_page(path):
    blocks = [block.strip() for block in re.split(r"\n\s*\n", open(path, encoding="utf-8").read()) if block.strip()]
    header, date, headline, standfirst, *rest = blocks
    sections = [{"heading": None, "blocks": []}]
    for block in rest:
        if block.startswith("Read More: "):
            sections[-1]["blocks"].append(("read_more", block.removeprefix("Read More: ")))
        elif block.endswith((".", "!", "?", "”", '"')):
            sections[-1]["blocks"].append(("paragraph", block))
        else:
            sections.append({"heading": block, "blocks": []})
    day = datetime.datetime.strptime(date, "%A, %B %d, %Y")
    return {"site": header.removeprefix("|").strip().removeprefix("Welcome to").strip(), "date": day,
            "headline": headline, "standfirst": standfirst, "sections": sections}


class Client:
    def __init__(self, base, token=None):
        self.base, self.token = base, token

    def __call__(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text, status, etag = answer.read(), answer.status, answer.headers.get("ETag")
        except urllib.error.HTTPError as error:
            text, status, etag = error.read(), error.code, None
        return status, json.loads(text) if text else None, etag

    def expect(self, wanted, method, path, body=None, **headers):
        status, answer, etag = self(method, path, body, **headers)
        if status != wanted:
            sys.exit(f"FAILED: {method} {path} answered {status}, not {wanted}: {json.dumps(answer, indent=2)}")
        return answer, etag


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def play(base, page):
    reader, editor = Client(base), Client(base)
    login, _ = editor.expect(200, "POST", "/v1/auth/login", {"email": "admin@newsroom.example", "password": PASSWORD})
    editor.token = login["access_token"]
    check("who is logged in", editor.expect(200, "GET", "/v1/me")[0]["role"], "admin")

    _, etag = editor.expect(200, "GET", "/v1/site")
    editor.expect(200, "PATCH", "/v1/site", {"name": page["site"], "url": "https://newsroom.example"}, If_Match=etag)
    editor.expect(201, "POST", "/v1/sections", {"name": "World"})
    section, _ = editor.expect(201, "POST", "/v1/sections", {"name": "Pakistan & Region", "parent": "/world"})
    check("path of the section", section["path"], "/world/pakistan-region")
    tags = [editor.expect(201, "POST", "/v1/tags", {"name": name, "type": kind})[0] for name, kind in TAGS]
    text = " ".join(text for part in page["sections"] for _, text in part["blocks"])
    for name, _ in TAGS:
        check(f"the page names {name}", name in text, True)
    author, _ = editor.expect(201, "POST", "/v1/authors", {"name": "News Desk", "role": "Editors"})

    linked_headline = next(text for part in page["sections"] for kind, text in part["blocks"] if kind == "read_more")
    linked, _ = editor.expect(201, "POST", "/v1/articles", {
        "headline": linked_headline, "section": "/world",
        "body": [{"blocks": [{"type": "paragraph", "html": "What was imported, and why."}]}]})
    editor.expect(200, "POST", f"/v1/articles/{linked['id']}/publish")

    def block(kind, text):
        if kind == "paragraph":
            return {"type": "paragraph", "html": escape(text)}
        return {"type": "read_more", "link": {"label": "Read More", "target": {"article_id": linked["id"]}}}

    article, etag = editor.expect(201, "POST", "/v1/articles", {
        "headline": page["headline"], "standfirst": page["standfirst"], "section": section["path"],
        "tags": [tag["slug"] for tag in tags], "bylines": [{"author": author["slug"]}],
        "body": [{"heading": part["heading"], "blocks": [block(*item) for item in part["blocks"]]}
                 for part in page["sections"]]})
    check("a draft is no reader's business", reader("GET", f"/v1/articles/{article['slug']}")[0], 404)
    published_at = page["date"].strftime("%Y-%m-%dT06:00:00.000Z")
    editor.expect(200, "POST", f"/v1/articles/{article['id']}/publish", {"published_at": published_at}, If_Match=etag)

    # As an anonymous frontend.
    path = f"/v1/articles/{article['slug']}"
    seen, etag = reader.expect(200, "GET", path)
    for field in ("headline", "standfirst"):
        check(field, seen[field], page[field])
    check("date", seen["published_at"], published_at)
    check("path", seen["path"], f"{section['path']}/{article['slug']}")
    check("section", seen["section"]["name"], "Pakistan & Region")
    check("tags", [tag["name"] for tag in seen["tags"]], [name for name, _ in TAGS])
    check("byline", [byline["author"]["slug"] for byline in seen["bylines"]], [author["slug"]])
    check("headings", [part["heading"] for part in seen["body"]], [part["heading"] for part in page["sections"]])
    anchors = [part["anchor"] for part in seen["body"]]
    check("anchors are unique", len(set(anchors)), len(anchors))
    for part in seen["body"][1:]:
        words = re.sub(r"[^a-z0-9]+", "-", part["heading"].lower()).strip("-")
        check("anchor of a heading", part["anchor"], words)
    for part, wanted in zip(seen["body"], page["sections"], strict=True):
        got = [(block["type"], block["link"]["card"]["headline"] if block["type"] == "read_more" else block["html"])
               for block in part["blocks"]]
        check(f"blocks of {wanted['heading']}", got,
              [(kind, escape(text) if kind == "paragraph" else text) for kind, text in wanted["blocks"]])
    card = next(block["link"] for part in seen["body"] for block in part["blocks"] if block["type"] == "read_more")
    check("label", card["label"], "Read More")
    check("card", (card["card"]["path"], card["card"]["state"]), (linked["path"], "live"))
    check("304", reader("GET", path, If_None_Match=etag)[0], 304)
    check("no workflow for readers", "workflow" in seen, False)

    def listed(query):
        answer, _ = reader.expect(200, "GET", "/v1/articles?" + urllib.parse.urlencode(query))
        return [item["id"] for item in answer["data"]]

    lists = [{"section": section["path"]}, {"section": "/world"}, {"author": author["slug"]}, {"type": "news"},
             *({"tag": tag["slug"]} for tag in tags)]
    for query in lists:
        check(f"found by {query}", article["id"] in listed(query), True)
    check("not in the parent itself", article["id"] in listed({"section": "/world", "section_scope": "exact"}), False)
    check("by date", listed({"published_before": "2025-01-01T00:00:00Z"}), [article["id"]])
    inbound, _ = reader.expect(200, "GET", f"/v1/articles/{linked['id']}/inbound")
    check("inbound", [item["article_id"] for item in inbound["data"]], [article["id"]])

    # The linked article is renamed: the card follows.
    _, etag = editor.expect(200, "GET", f"/v1/articles/{linked['id']}?stage=draft")
    renamed, etag = editor.expect(200, "PATCH", f"/v1/articles/{linked['id']}",
                                  {"headline": "Crude imports break the record", "slug": "crude-imports-record"}, If_Match=etag)
    editor.expect(200, "POST", f"/v1/articles/{linked['id']}/publish", If_Match=etag)
    seen, _ = reader.expect(200, "GET", path)
    card = next(block["link"]["card"] for part in seen["body"] for block in part["blocks"] if block["type"] == "read_more")
    check("the card follows", (card["headline"], card["path"]), (renamed["headline"], "/world/crude-imports-record"))
    moved, _ = reader.expect(200, "GET", f"/v1/articles/{linked['slug']}")
    check("the old slug leads on", moved["slug"], "crude-imports-record")

    # The draft is edited: readers still get what was published.
    status, _, _ = editor("PATCH", f"/v1/articles/{article['id']}", {"headline": "Not yet"})
    check("an edit without If-Match", status, 428)
    _, etag = editor.expect(200, "GET", f"/v1/articles/{article['id']}?stage=draft")
    draft, _ = editor.expect(200, "PATCH", f"/v1/articles/{article['id']}", {"headline": "Not yet"}, If_Match=etag)
    check("the draft is ahead", draft["workflow"]["has_unpublished_changes"], True)
    status, problem, _ = editor("PATCH", f"/v1/articles/{article['id']}", {"kicker": "Lost"}, If_Match=etag)
    check("a lost update", (status, problem["changed"]), (412, ["headline"]))
    check("readers see what was published", reader.expect(200, "GET", path)[0]["headline"], page["headline"])

    # It is withdrawn: 404, and gone from every list.
    editor.expect(200, "POST", f"/v1/articles/{article['id']}/unpublish")
    for name in (article["slug"], article["id"]):
        check("withdrawn", reader("GET", f"/v1/articles/{name}")[0], 404)
    for query in [{}, {"count": "true"}, *lists]:
        check(f"gone from {query}", article["id"] in listed(query), False)
    inbound, _ = reader.expect(200, "GET", f"/v1/articles/{linked['id']}/inbound")
    check("gone from inbound", inbound["data"], [])
    changes, _ = reader.expect(200, "GET", "/v1/changes?limit=100")
    kinds = [change["kind"] for change in changes["data"] if change["entity_id"] == article["id"]]
    check("changes", kinds, ["created", "removed"])


def main():
    binary, page_file, *database = sys.argv[1:]
    page = read_page(page_file)
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MASTHEAD_")}
        environment |= {"MASTHEAD_DATA": folder, "MASTHEAD_LISTEN": "127.0.0.1:0"}
        if database:
            environment["MASTHEAD_DATABASE_URL"] = database[0]
        subprocess.run([binary, "migrate"], env=environment, check=True)
        add = [binary, "user", "add", "--email", "admin@newsroom.example", "--name", "Admin", "--role", "admin"]
        subprocess.run([*add, "--password-stdin"], env=environment, check=True, input=PASSWORD + "\n", text=True)
        with open(os.path.join(folder, "log"), "w") as log:
            server = subprocess.Popen([binary, "serve"], env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
            try:
                address = re.search(r"http://\S+", server.stdout.readline()).group()
                play(address, page)
            except BaseException:
                log.flush()
                print(open(log.name).read()[-4000:], file=sys.stderr)
                raise
            finally:
                server.send_signal(signal.SIGTERM)
        check("a clean stop", server.wait(30), 0)
    print(f"the page went through the newsroom: {checks} checks")


if __name__ == "__main__":
    main()
