"""Fine-tuning: data with consent and lineage, whether it is worth it, and runs that train."""
