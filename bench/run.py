"""The result of a measured run of one path."""

from dataclasses import dataclass

from bench.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run. Rates are observations a second.

    ``absorbed_s`` ends when the last observation is in the committed state and all that is new or materially changed
    is committed on the national and released topics; ``settled_cpu_s`` is the worker's processor time for the
    roll-ups that follow. ``void`` states why the figure does not count, and is empty if it does.
    """

    what: str
    work: str
    observations: int
    absorbed_s: float
    worker_cpu_s: float
    brokers_cpu_s: float
    settled_cpu_s: float
    resident_bytes: int
    batches: int
    national: Outcome
    released: Outcome
    void: str

    @property
    def rate(self) -> float:
        """Observations a second until absorbed."""
        return self.observations / self.absorbed_s

    @property
    def rate_with_roll_ups(self) -> float:
        """The same with the processor time of the roll-ups added, as if nothing ran beside them."""
        return self.observations / (self.absorbed_s + self.settled_cpu_s)

    @property
    def cpu_us(self) -> float:
        """Microseconds of processor time for an observation: worker and brokers, roll-ups included."""
        return (self.worker_cpu_s + self.brokers_cpu_s + self.settled_cpu_s) / self.observations * 1e6

    def record(self) -> dict[str, object]:
        """For ``results.json``."""
        return {
            "what": self.what,
            "work": self.work,
            "observations": self.observations,
            "seconds": round(self.absorbed_s, 3),
            "rate": round(self.rate),
            "rate_with_roll_ups": round(self.rate_with_roll_ups),
            "worker_cpu_us": round(self.worker_cpu_s / self.observations * 1e6, 1),
            "brokers_cpu_us": round(self.brokers_cpu_s / self.observations * 1e6, 1),
            "roll_up_cpu_us": round(self.settled_cpu_s / self.observations * 1e6, 1),
            "resident_mib": round(self.resident_bytes / (1 << 20)),
            "batches": self.batches,
            "national_records": self.national.records,
            "national_bytes": self.national.bytes,
            "released_records": self.released.records,
            "distinct": self.national.distinct,
            "sightings": self.national.sightings,
            "void": self.void,
        }
