"""Room: keys, certificates, revocation, time-stamps and trust."""
