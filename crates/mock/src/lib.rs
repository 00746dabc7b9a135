//! An imitation SMART on FHIR server for testers: authorization server, portals, FHIR, synthetic people.
