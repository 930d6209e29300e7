#!/usr/bin/env python3
"""Measures how much of their rate reads keep while clients hammer the log-in, in one run.

    benches/load/logins.py BINARY [--seconds S] [--clients N]

Needs `wrk` (Debian: wrk). Three rates of the same read: alone; while N clients try to log in as one address does, which is
refused at once and held back; and while they try with the guards against guessing out of their way, so that every
attempt is hashed. Reads are of `/v1/articles?limit=20`, without credentials, at 16 connections.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

LOGIN = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local number = 0
function setup(thread) thread:set("id", math.random(1000000000)) end
function request()
  number = number + 1
  local headers = {["Content-Type"] = "application/json"}
  if SPREAD then
    headers["X-Forwarded-For"] = string.format("10.%d.%d.%d", number / 65536 % 256, number / 256 % 256, number % 256)
  end
  local body = string.format('{"email": "%d.%d@newsroom.example", "password": "a wrong password"}', id, number)
  return wrk.format("POST", "/v1/auth/login", headers, body)
end
"""


def rate(url, seconds):
    out = subprocess.run(["wrk", "-t1", "-c16", f"-d{seconds}s", url], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out:
        sys.exit(f"{url} answered errors:\n{out}")
    return int(re.search(r"(\d+) requests in", out).group(1)) / seconds


def hammer(work, url, clients, seconds, spread):
    script = os.path.join(work, "login.lua")
    with open(script, "w") as file:
        file.write(f"SPREAD = {'true' if spread else 'false'}\n{LOGIN}")
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds + 4}s", "--timeout", "30s", "-s", script, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=50)
    arguments = parser.parse_args()
    binary = os.path.abspath(arguments.binary)
    with tempfile.TemporaryDirectory() as work:
        environment = {
            **os.environ,
            "MASTHEAD_DATA": work,
            "MASTHEAD_LISTEN": "127.0.0.1:18081",
            "MASTHEAD_LOG": "warn",
            "MASTHEAD_RATE_LIMIT_ANONYMOUS_READS": "1000000000",
        }
        for command in (["migrate"], ["demo", "--articles", "1000"]):
            subprocess.run([binary, *command], env=environment, check=True, stdout=subprocess.DEVNULL)
        url = "http://127.0.0.1:18081"
        reads = f"{url}/v1/articles?limit=20"
        for name, settings, spread in (
            ("one address, guards as they are by default", {}, False),
            ("each attempt from another address, rate limit off", {
                "MASTHEAD_RATE_LIMIT_LOGINS": "0", "MASTHEAD_TRUSTED_PROXIES": "127.0.0.1"
            }, True),
        ):
            server = subprocess.Popen([binary, "serve"], env={**environment, **settings}, stdout=subprocess.DEVNULL)
            try:
                for _ in range(100):
                    try:
                        urllib.request.urlopen(f"{url}/healthz").read()
                        break
                    except OSError:
                        time.sleep(0.1)
                rate(reads, 2)
                alone = rate(reads, arguments.seconds)
                attempts = hammer(work, url, arguments.clients, arguments.seconds, spread)
                time.sleep(2)
                beside = rate(reads, arguments.seconds)
                answered = re.search(r"(\d+) requests in", attempts.communicate()[0]).group(1)
                print(f"{name}: {alone:.0f} reads/s alone, {beside:.0f} beside {arguments.clients} clients "
                      f"({int(answered) / (arguments.seconds + 4):.0f} log-ins/s answered): ratio {beside / alone:.2f}")
            finally:
                server.terminate()
                server.wait()


main()
