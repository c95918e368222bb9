"""Events between processes, and questions with answers. :class:`bzz.RedisRelay` is what applications use."""

from __future__ import annotations

from bzz.relay.asking import Answer, Answers
from bzz.relay.base import Relay
from bzz.relay.documents import Document
from bzz.relay.payload import register
from bzz.relay.peers import Gap
from bzz.relay.statistics import Stats

__all__ = ["Answer", "Answers", "Document", "Gap", "Relay", "Stats", "register"]
