"""The transactions of one transactional id: fencing, writing, and the meaning of a failed call."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

from confluent_kafka import KafkaError, KafkaException, Producer

from exchange.errors import BrokerUnavailable, ConfigurationError, ProducerFenced, Unwritable
from exchange.kafka.clients import BATCH_BYTES, TRANSACTION_TIMEOUT_MS, Cluster, transactional_producer
from exchange.kafka.produce import OnDelivery, watching
from exchange.protocol.log import CommitUncertain, TransactionAborted

CALL_S: Final = 20.0
GIVE_UP_S: Final = 120.0
_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 2.0
_FENCED: Final = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}

Fill = Callable[[Producer, OnDelivery | None], None]
"""Puts the records of one transaction into the producer's queue, with this delivery callback, if any, for each."""


class Transactions:
    """The producer of one shard of a step, ``kakehashi.<step>.<shard>``. One thread uses it."""

    def __init__(
        self,
        cluster: Cluster,
        step: str,
        shard: int,
        *,
        timeout_ms: int = TRANSACTION_TIMEOUT_MS,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self._cluster, self._timeout_ms, self._batch_bytes = cluster, timeout_ms, batch_bytes
        self._id, self._name = f"kakehashi.{step}.{shard}", f"{step} shard {shard}"
        self._producer: Producer | None = None
        self._aborts = 0  # in succession

    @property
    def producer(self) -> Producer:
        """The client. Raises RuntimeError before ``fence``."""
        if self._producer is None:
            raise RuntimeError(f"{self._name}: not taken")
        return self._producer

    def fence(self) -> None:
        """Become the owner of the transactional id: the broker fences the previous owner and ends its transaction.

        Each call makes a new producer: librdkafka does not support the second part of KIP-890, so a producer whose
        commit was uncertain is never used again. Raises ProducerFenced if another owner takes the id meanwhile,
        ConfigurationError if we may not own it, BrokerUnavailable if there is no answer.
        """
        self._producer = transactional_producer(
            self._cluster, self._id, timeout_ms=self._timeout_ms, batch_bytes=self._batch_bytes
        )
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            try:
                self._producer.init_transactions(CALL_S)
            except KafkaException as exception:
                error = exception.args[0]
                if error.code() in _FENCED:
                    raise ProducerFenced(f"{self._name}: another owner took it while we did") from exception
                if error.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
                    raise ConfigurationError(
                        f"{self._name}: {self._cluster.nation}'s Kafka at {self._cluster.bootstrap} does not let this "
                        f"user own the transactional id {self._id}: its administrator runs "
                        f"`kakehashi acls --nation {self._cluster.nation}`"
                    ) from exception
                if not error.retriable() or time.monotonic() > deadline:
                    raise BrokerUnavailable(
                        f"{self._name}: cannot be taken at {self._cluster.bootstrap}: {error.str()}"
                    ) from exception
            else:
                return

    def write(self, fill: Fill, on_handed_over: Callable[[], None]) -> None:
        """Commit one transaction with what ``fill`` puts into it; ``on_handed_over`` is called before the commit.

        Raises TransactionAborted, CommitUncertain, ProducerFenced, or Unwritable if no retry can help.
        """
        producer = self.producer
        refusals: list[Unwritable] = []
        # An abort does not tell which record caused it, and a callback for each record takes time: so records are
        # only watched when the batch is tried again.
        watch = watching(refusals) if self._aborts else None
        failure = _failure(producer.begin_transaction) or _failure(fill, producer, watch)
        if isinstance(failure, Unwritable):
            _try_to_abort(producer)
            raise Unwritable(str(failure)) from failure
        if failure is not None:
            self._abort(producer, failure)
        on_handed_over()
        failure = _failure(self._end, producer)
        _serve(producer)
        if failure is not None:
            if refusals:
                _try_to_abort(producer)
                raise refusals.pop() from failure
            self._judge(producer, failure)
        self._aborts = 0

    def _end(self, producer: Producer) -> None:
        """Commit; after a retriable error the same call is made again (librdkafka, INTRODUCTION.md)."""
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            try:
                producer.commit_transaction(CALL_S)
            except KafkaException as exception:
                error = exception.args[0]
                if not error.retriable() or error.txn_requires_abort() or time.monotonic() > deadline:
                    raise
            else:
                return

    def _judge(self, producer: Producer, failure: Exception) -> NoReturn:
        """Raise the error that a failed commit means."""
        error = failure.args[0]
        if error.txn_requires_abort():
            self._abort(producer, failure)
        if error.code() in _FENCED:
            raise self._fenced() from failure
        raise CommitUncertain(f"{self._name}: {error.str()}") from failure

    def _abort(self, producer: Producer, failure: Exception) -> NoReturn:
        """Abort a transaction whose commit was not requested.

        A producer that was fenced while it filled the transaction reports it only now: to find out by fencing would
        take the shard from its new owner.
        """
        error = failure.args[0]
        second = _failure(producer.abort_transaction, CALL_S)
        if second is not None:
            why = second.args[0]
            if why.code() in _FENCED:
                raise self._fenced() from failure
            raise CommitUncertain(f"{self._name}: {error.str()}; abort: {why.str()}") from failure
        threading.Event().wait(min(_PAUSE_S * 2**self._aborts, _LONGEST_PAUSE_S))
        self._aborts += 1
        raise TransactionAborted(f"{self._name}: {error.str()}") from failure

    def _fenced(self) -> ProducerFenced:
        return ProducerFenced(
            f"{self._name}: another owner has taken it over, or the broker has ended its transaction after "
            f"{self._timeout_ms / 1000:g} s"
        )

    def close(self) -> None:
        """Drop the producer. An open transaction ends when the next owner fences this one."""
        if self._producer is not None:
            self._producer.purge(in_flight=True, in_queue=True, blocking=False)
            self._producer = None


def _failure(call: Callable[..., object], *arguments: object) -> KafkaException | Unwritable | None:
    """The error that this call raises, as a value: the client may be called again behind it.

    Never within ``except``: under Python 3.11 a call of the client that raises KafkaException there keeps the exception
    that is handled for ever, and with its traceback the producer, its threads and its connections. And without
    its traceback, whose frames lead back to the one that keeps the value: such a circle lasts until it is collected.
    """
    try:
        call(*arguments)
    except (KafkaException, Unwritable) as failure:
        return failure.with_traceback(None)
    return None


def _try_to_abort(producer: Producer) -> None:
    """Abort if possible: otherwise readers wait for the transaction's timeout."""
    with suppress(KafkaException):
        producer.abort_transaction(CALL_S)


def _serve(producer: Producer) -> None:
    """Call the delivery callbacks. A broken producer raises here too: its next call raises the same."""
    with suppress(KafkaException):
        producer.poll(0)
