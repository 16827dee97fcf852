"""A client over a real socket."""

import json
from urllib.parse import urlencode

import urllib3


class Answer:
    def __init__(self, response):
        self.status_code, self.headers, self.content = response.status, response.headers, response.data

    @property
    def text(self):
        return self.content.decode()

    def json(self):
        return json.loads(self.content)


class Browser:
    """A client over a real socket that keeps cookies, and follows nothing by itself."""

    def __init__(self, port):
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False, timeout=20)
        self.cookies = {}

    def get(self, path, params=None, headers=None):
        return self.request("GET", path + ("?" + urlencode(params) if params else ""), headers=headers)

    def post(self, path, content, headers):
        return self.request("POST", path, body=content, headers=headers)

    def request(self, method, target, body=None, headers=None):
        sent = {**(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = self._pool.urlopen(method, target, body=body, headers=sent, redirect=False)
        for line in response.headers.getlist("set-cookie"):
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.split(";")[0]
        return Answer(response)

    def close(self):
        self._pool.close()
