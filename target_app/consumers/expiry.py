"""How soon presence expires in the consumers with a heartbeat, and how often it is prolonged.

Far more often than an app needs, which would take a minute and 20 s: it has to be over in a trial.
"""

PRESENCE_S = 3
HEARTBEAT_S = 1
