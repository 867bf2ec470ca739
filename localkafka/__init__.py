"""Real Apache Kafka for every machine: given by settings, in Docker, or from the Apache jars.

``provider`` chooses, in that order; ``local`` and ``container`` run one broker each. This package does not know
the topics: its callers create them.
"""
