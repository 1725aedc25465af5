"""A Cloud API over real HTTP on loopback that fails as it is told to, and remembers what it took."""

import json
import socket
import struct
import threading
import time
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

OK = "ok"
WRONG = {"bad json": b"<html>", "no id": b'{"messages": []}', "server error": b"oops"}


class Faulty:
    """
    The server's memory and its orders.

    `orders(n, payload)` says what to do with the n-th request: ``"ok"``; ``"lost"`` (taken, then the connection
    closes), ``"reset"`` (taken, then reset), ``"slow"`` (taken, the answer drips), ``"bad json"``, ``"no id"``
    (taken); ``"pause"`` (taken, answered after 50 ms); or ``(status, body, headers)`` for a refusal.
    """

    def __init__(self, orders, *, locked=True):
        self.orders = orders
        self.lock = threading.RLock() if locked else nullcontext()
        self.requests, self.taken, self.headers = 0, [], []
        self.url = ""

    def receive(self, payload, headers):
        """Remember a request and return what to do with it and its number."""
        with self.lock:
            self.requests += 1
            number = self.requests
            order = self.orders(number, payload)
            self.headers.append(dict(headers))
            if not isinstance(order, tuple):
                self.taken.append(payload)
            return order, number

    def doubles(self):
        """Return how many messages went to a customer who already had one."""
        sent = [message.get("to") or message["recipient"] for message in self.taken]
        return len(sent) - len(set(sent))

    def statuses(self, status="delivered", at=1_795_400_000):
        """Return a webhook body with one status for each message taken, echoing its opaque data."""
        told = [
            {
                "id": f"wamid.{n}",
                "status": status,
                "timestamp": str(at),
                "recipient_id": message["to"].lstrip("+"),
                "biz_opaque_callback_data": message["biz_opaque_callback_data"],
            }
            for n, message in enumerate(self.taken, 1)
        ]
        return {"entry": [{"changes": [{"field": "messages", "value": {"statuses": told}}]}]}


def coded(code, details="", status=400, **headers):
    """Return the order to refuse with a code."""
    error = {"message": f"(#{code}) refused", "code": code, "error_data": {"details": details}, "fbtrace_id": "A1"}
    return status, json.dumps({"error": error}).encode(), {name.replace("_", "-"): v for name, v in headers.items()}


@contextmanager
def serving(orders=lambda _n, _payload: OK, *, locked=True):
    """
    Serve on a free port of loopback until the block ends; yield the `Faulty` memory.

    `orders` are asked one at a time, unless not `locked`.
    """
    memory = Faulty(orders, locked=locked)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):  # the name that http.server calls
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            payload = json.loads(raw)
            order, number = memory.receive(payload, self.headers)
            _carry_out(self, order, payload, number)

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

        def handle_error(self, *args):
            pass  # a client killed in mid-request

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        memory.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield memory
        finally:
            server.shutdown()
            thread.join()


class InProcess(httpx.BaseTransport):
    """The same without a socket, for what does not hang on HTTP: `memory` has what was asked. Reading is refused."""

    def __init__(self, orders=lambda _n, _payload: OK):
        self.memory = Faulty(orders)

    def handle_request(self, request):
        """Answer one request as ordered."""
        if request.method != "POST":
            return httpx.Response(501)
        payload = json.loads(request.read())
        order, number = self.memory.receive(payload, request.headers)
        if isinstance(order, tuple):
            status, body, headers = order
            return httpx.Response(status, content=body, headers=headers)
        if order in WRONG:
            return httpx.Response(500 if order == "server error" else 200, content=WRONG[order])
        if order != OK:
            raise httpx.ReadError("the answer is lost")
        return httpx.Response(200, json=_right(payload, number))


def _right(payload, number):
    """Return the answer of an API that took a message."""
    address = payload.get("to", "").lstrip("+")
    contact = {"wa_id": address} if address else {"user_id": payload["recipient"]}
    return {"messages": [{"id": f"wamid.{number}"}], "contacts": [contact]}


def _carry_out(handler, order, payload, number):
    if isinstance(order, tuple):
        return _answer(handler, *order)
    right = _right(payload, number)
    if order == "pause":
        time.sleep(0.05)
    if order == "lost":
        handler.close_connection = True
        return None
    if order == "reset":
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for part in (handler.rfile, handler.wfile, handler.connection):
            part.close()
        return None
    if order == "slow":
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        handler.wfile.flush()
        time.sleep(1)
        handler.close_connection = True
        return None
    status = 500 if order == "server error" else 200
    return _answer(handler, status, WRONG.get(order) or json.dumps(right).encode(), {})


def _answer(handler, status, body, headers):
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
