"""Programs of the real state-signals package; they run in an environment of its own and never import bzz.

Usage: python theirs.py exporter|responder PORT EXPECTED
"""

import sys
import time

import state_signals


def connected(make):
    """0.2.0 does not wait for a server."""
    for _ in range(100):
        try:
            return make()
        except Exception:
            time.sleep(0.1)
    raise SystemExit("no server")


def exporter(port):
    """Initialize, ask whenever a line comes in, and shut down at the end of the input."""
    it = connected(lambda: state_signals.SignalExporter("their-process", redis_port=port))
    it.initialize(["start", "stop"], tag="theirs")
    end = time.time() + 20
    while len(it.subs) < 1 and time.time() < end:
        time.sleep(0.05)
    print("subscribed", len(set(it.subs)), flush=True)
    for line in sys.stdin:
        event = line.strip()
        result = it.publish_signal(event, sample=7, metadata={"n": [1, {"deep": True}]}, timeout=10)
        code, messages = result if isinstance(result, tuple) else (result, {})
        print("result", getattr(code, "value", code), sorted(messages.values()), flush=True)
    it.shutdown()
    print("done", flush=True)


def responder(port):
    """Answer everything: a bad one where the tag says so."""
    it = connected(lambda: state_signals.SignalResponder(redis_port=port, responder_name="their-worker"))
    print("listening", flush=True)
    for signal in it.listen():
        print("heard", signal.event, signal.sample_no, signal.tag, signal.metadata, flush=True)
        if signal.event == "shutdown":
            break
        if signal.event == "initialization":
            it.srespond(signal)
        else:
            it.srespond(signal, 0 if signal.tag == "bad" else 1)


if __name__ == "__main__":
    {"exporter": exporter, "responder": responder}[sys.argv[1]](int(sys.argv[2]))
