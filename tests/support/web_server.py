"""A small web server for tests: serves the files of a folder, and misbehaves on request.

  /NAME              the file, with an ETag
  /dated/NAME        with Last-Modified only
  /plain/NAME        with neither
  /held/NAME         with an ETag, after a file `go` has appeared in the folder
  /to/NAME           redirects to /NAME
  /loop              redirects to itself
  /status/CODE       answers with that status
  /truncated         says 1000 bytes and closes after 10
  /stalled           says 1000 bytes, sends 10, and then nothing for as long as the client stays

Prints its port. Every answer is a line "STATUS PATH" in `requests.log` of the folder. Ends when its input ends.
"""
import hashlib
import os
import select
import sys
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER = sys.argv[1]
LOG_LOCK = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers=(), body=b"", length=None):
        with LOG_LOCK, open(os.path.join(FOLDER, "requests.log"), "a", encoding="utf-8") as log:
            log.write(f"{status} {self.path}\n")
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def send_file(self, name, kind):
        path = os.path.join(FOLDER, name)
        if not os.path.isfile(path):
            return self.answer(404)
        with open(path, "rb") as file:
            body = file.read()
        etag = '"' + hashlib.md5(body).hexdigest() + '"'
        date = formatdate(os.stat(path).st_mtime, usegmt=True)
        headers = {"tagged": [("ETag", etag)], "dated": [("Last-Modified", date)], "plain": []}[kind]
        same_tag = kind == "tagged" and self.headers.get("If-None-Match") == etag
        same_date = kind == "dated" and self.headers.get("If-Modified-Since") == date
        if same_tag or same_date:
            return self.answer(304, headers)
        return self.answer(200, headers, body)

    def do_GET(self):
        parts = self.path.split("?")[0].strip("/").split("/")
        verb = parts[0] if len(parts) > 1 else ""
        if self.path == "/loop":
            self.answer(302, [("Location", "/loop")])
        elif self.path == "/truncated":
            self.answer(200, body=b"0123456789", length=1000)
            self.close_connection = True
        elif self.path == "/stalled":
            self.answer(200, body=b"0123456789", length=1000)
            select.select([self.connection], [], [], 60)  # readable when the client has gone
            self.close_connection = True
        elif verb == "status":
            self.answer(int(parts[1]))
        elif verb == "to":
            self.answer(302, [("Location", "/" + parts[1]), ("ETag", '"of the redirect"')])
        elif verb == "held":
            while not os.path.exists(os.path.join(FOLDER, "go")):
                time.sleep(0.005)
            self.send_file(parts[1], "tagged")
        elif verb in ("dated", "plain"):
            self.send_file(parts[1], verb)
        else:
            self.send_file(parts[-1], "tagged")


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
