# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Endpoints that are no stage: what errors.py publishes to, to see it fail.

One HTTP server answers as its path says, HTTPS ones with whatever certificate. All of
them on free ports of the loopback interface.
"""
import socketserver
import ssl
import threading

JSON = "Content-Type: application/json\n"
ANSWERS = {  # "{here}" is the server itself, "{plain}" the one without TLS
    "/garbage": "SSH-2.0-OpenSSH_9.2p1 Debian-2\n",
    "/loop": "HTTP/1.1 307 Temporary Redirect\nLocation: {here}/loop\n",
    "/stranger": "HTTP/1.1 307 Temporary Redirect\nLocation: https://stranger.example/\n",
    "/no-location": "HTTP/1.1 307 Temporary Redirect\n",
    "/downgrade": "HTTP/1.1 307 Temporary Redirect\nLocation: {plain}/\n",
    "/moved": "HTTP/1.1 307 Temporary Redirect\nLocation: {here}/forgetful\n",
    "/forgetful": "HTTP/1.1 401 Unauthorized\n",
    "/refused": "HTTP/1.1 403 Forbidden\nx-amzn-RequestId: 0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9\n",
    "/site": "HTTP/1.1 404 Not Found\nContent-Type: text/html\n"
             "\n<html><title>404 Not Found</title></html>",
    "/portal": "HTTP/1.1 200 OK\nContent-Type: text/html\n"
               "\n<html><title>Welcome to the hotel</title></html>",
    "/gateway": "HTTP/1.1 502 Bad Gateway\nContent-Type: text/html\n"
                "\n<html><title>502 Bad Gateway</title></html>",
    "/not-modified": "HTTP/1.1 304 Not Modified\n",
    "/proxy": "HTTP/1.1 407 Proxy Authentication Required\n",
    "/broken": "HTTP/1.1 500 Internal Server Error\n",
    "/text": "HTTP/1.1 400 Bad Request\nContent-Type: text/plain\n\nno, and not in JSON",
    "/huge": "HTTP/1.1 400 Bad Request\nContent-Type: text/plain\n\n" + "no " * 400000,
}


class Handler(socketserver.StreamRequestHandler):
    """One request; its answer is the last on its connection."""

    def handle(self):
        try:
            path = self.read_request()
            if path == "/silent":
                self.rfile.read()  # until the client gives up
            elif path in ANSWERS:
                self.answer(ANSWERS[path])
        except OSError:
            pass  # a client that did not like what it saw

    def read_request(self):
        words = self.rfile.readline().split()
        length = 0
        for line in self.rfile:
            if not line.strip():
                break
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.rfile.read(length)
        return words[1].decode() if len(words) > 1 else ""

    def answer(self, template):
        text = template.replace("{here}", self.server.url).replace("{plain}", self.server.plain)
        head, _, body = text.partition("\n\n")
        if head.startswith("HTTP"):
            head = head.rstrip("\n") + f"\nContent-Length: {len(body)}\nConnection: close\n\n"
        self.wfile.write(head.replace("\n", "\r\n").encode() + body.encode())


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 32

    def __init__(self, certificate=None, plain=""):
        super().__init__(("127.0.0.1", 0), Handler)
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.server_address[1]}"
        self.plain = plain
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def finish_request(self, request, client_address):
        """In the thread of the connection: a handshake may take its time, or fail."""
        if self.tls:
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except OSError:
                return
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # it is the client's failure that is looked at
