"""Ctrl-C and the stop button of a notebook, as real signals to a real process: nothing unknown, nothing lost."""

import _thread
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from tests.campaign import SETTINGS, plan
from tests.faulty_server import serving
from wa_products.campaigns import send
from wa_products.campaigns.interrupts import Interrupts
from wa_products.client import Client
from wa_products.ledger import Ledger

ROOT = Path(__file__).parent.parent
CHILD = """
import sys
import pandas as pd
from tests.campaign import SETTINGS, plan
from wa_products.campaigns import send
from wa_products.client import Client
from wa_products.ledger import Ledger
url, ledger_url, now, size = sys.argv[1:]
with Ledger(ledger_url) as ledger, Client(SETTINGS, base_url=url) as client:
    send(plan(int(size), now=pd.Timestamp(now)), ledger=ledger, client=client, dry_run=False, progress=False)
"""


def test_ctrl_c_leaves_nothing_unknown(tmp_path):
    """Interrupted with answers under way, a run waits for them, gives the rest back, and the next run ends it."""
    now = pd.Timestamp.now("UTC").floor("s")
    url, reached = f"sqlite:///{tmp_path / 'ledger.db'}", threading.Event()

    def orders(n, _payload):
        if n == 20:
            reached.set()
        return "pause"

    with serving(orders) as server:
        arguments = [sys.executable, "-c", CHILD, server.url, url, now.isoformat(), "60"]
        process = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE)
        assert reached.wait(60)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
        assert b"KeyboardInterrupt" in told
        assert process.returncode != 0
        with Ledger(url) as ledger:
            known = ledger.rows("c1")["outcome"]
            assert (known == "accepted").sum() == len(server.taken) < 60
            assert not (known == "unknown").any()
        with Ledger(url) as ledger, Client(SETTINGS, base_url=server.url) as client:
            send(plan(60, now=now), ledger=ledger, client=client, dry_run=False, progress=False)
        assert (len(server.taken), server.doubles()) == (60, 0)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # what the kernel's client warns of is its own
def test_the_stop_button_of_a_notebook(tmp_path):
    """A kernel interrupted in mid-send has every answer in its ledger, and the same cell run again ends it."""
    from jupyter_client.manager import start_new_kernel  # noqa: PLC0415  # slow to import

    now = pd.Timestamp.now("UTC").floor("s")
    url, reached = f"sqlite:///{tmp_path / 'ledger.db'}", threading.Event()

    def orders(n, _payload):
        if n == 20:
            reached.set()
        return "pause"

    with serving(orders) as server:
        manager, kernel = start_new_kernel(kernel_name="python3", cwd=str(ROOT))
        try:
            kernel.execute(f"import sys; sys.argv = ['', {server.url!r}, {url!r}, {now.isoformat()!r}, '60']\n{CHILD}")
            assert reached.wait(60)
            manager.interrupt_kernel()
            assert kernel.get_shell_msg(timeout=60)["content"]["ename"] == "KeyboardInterrupt"
            with Ledger(url) as ledger:
                known = ledger.rows("c1")["outcome"]
            assert (known == "accepted").sum() == len(server.taken) < 60
            assert not (known == "unknown").any()
            kernel.execute(CHILD)
            assert kernel.get_shell_msg(timeout=60)["content"]["status"] == "ok"
        finally:
            kernel.stop_channels()
            manager.shutdown_kernel(now=True)
        assert (len(server.taken), server.doubles()) == (60, 0)


def interrupt():
    """Do what Ctrl-C does, and let its handler run."""
    _thread.interrupt_main()
    time.sleep(0.05)


def test_an_interrupt_waits_for_the_step():
    """An interrupt is held back while something is being done and let through at the next check."""
    done = []
    with Interrupts() as interrupts:
        interrupts.check()
        interrupt()
        done.append("the step")
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
    assert done == ["the step"]
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_a_second_interrupt_goes_through():
    """Who asks twice is not kept waiting."""
    with Interrupts():
        interrupt()
        with pytest.raises(KeyboardInterrupt):
            interrupt()


def test_rest_can_be_interrupted():
    """While nothing is being done an interrupt comes at once, also one that was held back before."""
    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt), interrupts.resting():
        interrupt()
    with Interrupts() as interrupts:
        interrupt()
        with pytest.raises(KeyboardInterrupt), interrupts.resting():
            raise AssertionError("it must not come to rest")


def test_another_handler_stays():
    """Whoever brought a handler of their own keeps it, and other threads have none."""
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append("theirs"))
    try:
        with Interrupts() as interrupts:
            interrupt()
            interrupts.check()
        assert heard == ["theirs"]
    finally:
        signal.signal(signal.SIGINT, before)
    thread = threading.Thread(target=lambda: Interrupts().__enter__().check())
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_as_a_rest_begins_ends_it():
    """One that comes just after the look for earlier ones is let through too, not kept until the rest is over."""

    class Late(Interrupts):
        def check(self):
            super().check()
            signal.raise_signal(signal.SIGINT)

    with Late() as interrupts, pytest.raises(KeyboardInterrupt), interrupts.resting():
        pytest.fail("rested on with an interrupt held back")
