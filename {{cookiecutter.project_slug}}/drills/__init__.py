"""Faults injected into the running service, under load, with an account of what was lost.

    python -m drills          # all, each as one line of JSON; make drills
    python -m drills 10       # one; make drills D=10
    make drills CONTROL=1     # the same faults against the naive configuration, which must fail
    make drills TABLE=1       # both, as a table in Markdown

A drill is one file, d10_….py, that reads as the story of a night: the fault, what heals it, what
may not have happened. The rest is its stage: `service` starts servers and roles on ports of their
own, `load` asks for work and notes each answer, `ledger` counts what came of it, `watch` asks the
probes, `report` judges.

Weighed: toxiproxy and chaos toolkits are servers beside the service, and know nothing of what was
promised to whom; that account is what tells a loss from a delay.
"""
