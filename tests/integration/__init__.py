"""Two nations on real Kafka, by real processes."""
