"""For tests only: manual time, fakes of the ports, and the contract suites that fakes and adapters both pass."""
