//! SMART App Launch, OAuth, OpenID Connect and FHIR REST over HTTP: the protocol side of Satchel.
