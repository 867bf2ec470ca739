"""Real Apache Kafka for every machine: given by settings, in Docker, or from the Apache jars.

``provider`` chooses, in that order; ``local`` and ``container`` run one broker each. Nothing in here knows
what is stored in Kafka: topics are made by whoever starts the brokers.
"""
