"""
A Cloud API over real HTTP in a process of its own: cheap enough to share two cores with who is measured, and faulty.

`serving` starts it; each `open` gives a number of its own port, orders and memory. An order says what happens to the
n-th request. Those in TAKEN reach the customer, whatever the sender learns of it:

``ok``          answered at once          ``slow``       the answer drips for a third of a second
``told``        the status webhook is stored in the ledger before the answer
``lost``        no answer, closed         ``reset``      no answer, reset       ``half``  half an answer, closed
``bad json``    200 and no JSON           ``no id``      200 without an id      ``error`` 500 without a code
``stalled``     half an answer, then nothing for longer than anybody waits
``told lost``   the webhook is stored, no answer comes

The others do not: ``early reset`` (reset at the request), ``gateway`` (502), ``busy`` (429 without a code, Retry-After
1), ``down`` (reset, and nobody listens for half a second), or a number: refused with that code.
"""

import asyncio
import json
import multiprocessing
import os
import socket
import struct
import time
from contextlib import contextmanager

TAKEN = ("ok", "slow", "told", "lost", "reset", "half", "bad json", "no id", "error", "stalled", "told lost")
WRONG = {
    "bad json": (200, b"<html>"),
    "no id": (200, b'{"messages": []}'),
    "error": (500, b"oops"),
    "gateway": (502, b"<html>"),
    "busy": (429, b"<html>", "Retry-After: 1\r\n"),
}


class Number:
    """One business number: its orders, and what it remembers of each message taken: address, send id, time."""

    def __init__(self, orders=(), *, latency=0.0, ledger=None, marks=(), tell=None):
        self.orders, self.latency, self.ledger_url = orders, latency, ledger
        self.marks, self.tell = set(marks), tell
        self.requests, self.taken = 0, []
        self.holder = self.listener = self.ledger = None
        self.port, self.lines, self.closed = 0, set(), False

    async def listen(self):
        """Begin to listen, on the same port as before if there was one."""
        if not self.holder:
            self.holder = _bound(0)  # keeps the port while nobody listens
            self.port = self.holder.getsockname()[1]
        loop, line = asyncio.get_running_loop(), _bound(self.port)
        self.listener = await loop.create_server(lambda: Line(self), sock=line, backlog=512)
        return self.port

    def hang_up(self):
        """Listen no more, and end every connection."""
        self.listener.close()
        for line in list(self.lines):
            line.transport.abort()

    def close(self):
        """End for good."""
        self.hang_up()
        self.holder.close()
        self.closed = True
        if self.ledger is not None:
            self.ledger.close()

    async def pause(self):
        """Be away for half a second."""
        self.hang_up()
        await asyncio.sleep(0.5)
        if not self.closed:
            await self.listen()

    async def hear(self, send_id, wamid, to):
        """Store the status webhook of a message in the ledger, as a receiver would."""
        body = statuses([(send_id, wamid, to, time.time())])
        await asyncio.get_running_loop().run_in_executor(None, self._store, body)

    def _store(self, body):
        if self.ledger is None:
            from wa_products.ledger import Ledger  # noqa: PLC0415  # only where webhooks come early

            self.ledger = Ledger(self.ledger_url)
        self.ledger.store([body])

    def memory(self):
        """Return what came and what was taken."""
        return {"requests": self.requests, "taken": self.taken}


class Line(asyncio.Protocol):
    """One connection: HTTP/1.1, one request after the other, each with its length."""

    def __init__(self, number):
        self.number, self.waiting, self.turn = number, b"", None

    def connection_made(self, transport):
        """Remember the connection."""
        self.transport = transport
        self.number.lines.add(self)

    def connection_lost(self, _exc):
        """Forget the connection."""
        self.number.lines.discard(self)

    def data_received(self, data):
        """Take in bytes; answer each whole request."""
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head = self.waiting[:end].lower()
            _, _, told = head.partition(b"content-length:")
            size = int(told.partition(b"\r\n")[0] or 0)
            if len(self.waiting) < end + 4 + size:
                return
            body, self.waiting = self.waiting[end + 4 : end + 4 + size], self.waiting[end + 4 + size :]
            self._receive(json.loads(body))

    def _receive(self, payload):
        number = self.number
        number.requests += 1
        order = number.orders[number.requests - 1] if number.requests <= len(number.orders) else "ok"
        if number.requests in number.marks:
            number.tell(number.requests)
        wamid, send_id, to = (
            f"wamid.{number.port}.{number.requests}",
            payload["biz_opaque_callback_data"],
            payload["to"],
        )
        if order in TAKEN:
            number.taken.append((send_id, wamid, to, time.time()))
        if order == "ok" and not number.latency:
            self._accept(wamid, to)
        elif order == "ok":
            asyncio.get_running_loop().call_later(number.latency, self._accept, wamid, to)
        else:
            self.turn = asyncio.ensure_future(self._carry_out(order, wamid, send_id, to))

    async def _carry_out(self, order, wamid, send_id, to):
        """Do what an order says, in its parts: tell, answer, end."""
        right = _packed(200, _accepted(wamid, to))
        if order in ("told", "told lost"):
            await self.number.hear(send_id, wamid, to)
        if order == "slow":
            for byte in right:
                self._write(bytes([byte]))
                await asyncio.sleep(0.002)
        else:
            self._write(_said(order, right))
        if order in ("lost", "told lost", "half"):
            self.transport.close()
        elif order in ("reset", "early reset", "down"):
            self._reset()
        if order == "down":
            await self.number.pause()

    def _accept(self, wamid, to):
        self._write(_packed(200, _accepted(wamid, to)))

    def _write(self, data):
        if not self.transport.is_closing():  # whoever asked may have been killed
            self.transport.write(data)

    def _reset(self):
        if self.transport.is_closing():
            return
        line = self.transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def _said(order, right):
    """Return the bytes that an order answers with, given those of the right answer; none where it does not answer."""
    if isinstance(order, int):
        error = {"message": f"(#{order}) refused", "code": order, "error_data": {"details": "made up"}}
        return _packed(400, json.dumps({"error": error}).encode())
    if order in WRONG:
        return _packed(*WRONG[order])
    if order in ("half", "stalled"):
        return right[:-20]
    return right if order == "told" else b""


def _bound(port):
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    line.bind(("127.0.0.1", port))
    return line


def _accepted(wamid, to):
    return b'{"messages":[{"id":"%s"}],"contacts":[{"wa_id":"%s"}]}' % (wamid.encode(), to[1:].encode())


def _packed(status, body, headers=""):
    head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def statuses(taken, name="delivered"):
    """Return one webhook body with a status of each message taken."""
    told = [
        {
            "id": wamid,
            "status": name,
            "timestamp": str(int(at)),
            "recipient_id": to[1:],
            "biz_opaque_callback_data": send_id,
        }
        for send_id, wamid, to, at in taken
    ]
    return {"entry": [{"changes": [{"field": "messages", "value": {"statuses": told}}]}]}


class Cloud:
    """The handle of the server: `open` a number, `wait` until it was asked often enough, `close` it."""

    def __init__(self, connection):
        self._connection = connection

    def open(self, **options):
        """Return the URL of a new number; `options` are those of `Number`. One is open at a time."""
        self._connection.send(("open", options))
        return f"http://127.0.0.1:{self._answer('port')}"

    def wait(self, seconds):
        """Wait for the number to reach one of its marks, at most `seconds`; return whether it did."""
        if not self._connection.poll(seconds):
            return False
        self._connection.recv()
        return True

    def memory(self):
        """Return what the number remembers so far: ``requests``, and ``taken`` as (send id, wamid, address, time)."""
        self._connection.send(("memory", None))
        return self._answer("memory")

    def close(self):
        """Close the number; return its memory."""
        self._connection.send(("close", None))
        return self._answer("memory")

    def _answer(self, name):
        while (told := self._connection.recv())[0] != name:
            pass
        return told[1]


@contextmanager
def serving():
    """Run the server in a forked process until the block ends; yield the `Cloud`."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs, ours), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Cloud(ours)
    finally:
        ours.close()
        process.join(5)
        process.kill()


def _serve(connection, other):
    other.close()
    try:
        import uvloop  # noqa: PLC0415  # cheaper where it is installed
    except ModuleNotFoundError:
        asyncio.run(_obey(connection))
    else:
        uvloop.run(_obey(connection))


async def _obey(connection):
    loop, number = asyncio.get_running_loop(), None
    asked = asyncio.Event()
    loop.add_reader(connection.fileno(), asked.set)
    while True:
        await asked.wait()
        asked.clear()
        while connection.poll():
            try:
                command, options = connection.recv()
            except EOFError:
                return
            if command == "open":
                number = Number(**options, tell=lambda count: connection.send(("mark", count)))
                connection.send(("port", await number.listen()))
            else:
                if command == "close":
                    number.close()
                os.set_blocking(connection.fileno(), True)  # uvloop's reader made it otherwise
                connection.send(("memory", number.memory()))
