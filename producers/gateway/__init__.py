"""The gateway: what a scanner sends over the network becomes durable here, and then frames of a screening.

`listener.Listener` answers the scanner. `intake.Intake` keeps each object, encrypted and fsynced, before it is
acknowledged. `composing.Composer` finds the woman in the `register.Register` and puts the frames into her screening;
what belongs to nobody waits in the tray, and what cannot be read in the quarantine.
"""
