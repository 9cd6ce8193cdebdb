"""Mail: what is announced, how it reads, and how it leaves the process."""
