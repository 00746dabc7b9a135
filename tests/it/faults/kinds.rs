//! What goes wrong, and where: the faults that a sync can meet.

use rand::Rng;
use rand::rngs::StdRng;
use satchel_mock::{Endpoint, FaultKind, PlannedFault};

/// One way to go wrong at one place.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    endpoint: Endpoint,
    fault: FaultKind,
}

impl Kind {
    /// How often it may happen in a test that people wait for.
    fn most(&self) -> u32 {
        match self.fault {
            FaultKind::TooManyRequests { .. } => 5,
            _ => 1_000,
        }
    }

    /// Short enough for a list.
    pub(crate) fn name(&self) -> String {
        let mut fault = format!("{:?}", self.fault);
        fault.truncate(60);
        format!("{:?} {fault}", self.endpoint)
    }
}

/// One run: what goes wrong and when, and whether there was a sync before.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The fault, how many requests go well before, how often it happens.
    pub(crate) faults: Vec<(Kind, u32, u32)>,
    /// The chart is here already, and asked for as a whole again.
    pub(crate) again: bool,
}

impl Case {
    pub(crate) fn name(&self) -> String {
        let each = |(kind, after, times): &(Kind, u32, u32)| {
            format!("{} after {after} ×{times}", kind.name())
        };
        let faults: Vec<String> = self.faults.iter().map(each).collect();
        let when = if self.again {
            ", the chart is here"
        } else {
            ""
        };
        format!("{}{when}", faults.join(" and "))
    }

    /// What to tell the mock server. A token is renewed only when the one that is there is refused.
    pub(crate) fn planned(&self) -> Vec<PlannedFault> {
        let plan = |endpoint, fault: FaultKind, after, times| PlannedFault {
            endpoint,
            fault,
            client_id: None,
            after,
            times,
        };
        let mut planned = Vec::new();
        for (kind, after, times) in &self.faults {
            if kind.endpoint == Endpoint::Token {
                planned.push(plan(Endpoint::Fhir, FaultKind::ExpiredToken, *after, 1));
                planned.push(plan(kind.endpoint, kind.fault.clone(), 0, *times));
            } else {
                let after = if kind.endpoint == Endpoint::Fhir {
                    *after
                } else {
                    0
                };
                planned.push(plan(kind.endpoint, kind.fault.clone(), after, *times));
            }
        }
        planned
    }
}

fn status(status: u16, body: &str, content_type: &str) -> FaultKind {
    FaultKind::Status {
        status,
        body: body.to_owned(),
        content_type: content_type.to_owned(),
    }
}

/// A refusal in FHIR's shape.
fn refusal(code: u16) -> FaultKind {
    let body = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception","diagnostics":"not now"}]}"#;
    status(code, body, "application/fhir+json")
}

/// What can go wrong wherever something is asked for.
fn anywhere() -> Vec<FaultKind> {
    vec![
        status(500, "", ""),
        status(503, "busy", "text/plain"),
        status(404, "<h1>not found</h1>", "text/html"),
        status(200, "", ""),
        FaultKind::NotJson,
        FaultKind::Truncated,
        FaultKind::Delay { ms: 40 },
        FaultKind::Drop,
        FaultKind::LostAnswer,
        FaultKind::Drip { ms: 2 },
        FaultKind::WrongContentType {
            content_type: "text/html".to_owned(),
        },
        FaultKind::TooManyRequests {
            retry_after: Some(1),
        },
        FaultKind::Disconnect,
        FaultKind::RedirectElsewhere {
            status: 307,
            origin: "https://elsewhere.example".to_owned(),
        },
    ]
}

/// What only the records' own part of a server does.
fn at_records() -> Vec<FaultKind> {
    vec![
        refusal(400),
        refusal(401),
        refusal(403),
        refusal(404),
        refusal(410),
        refusal(500),
        refusal(200),
        FaultKind::TooManyRequests { retry_after: None },
        FaultKind::Huge { megabytes: 65 },
        FaultKind::XmlAnswer,
        FaultKind::NotABundle,
        FaultKind::MalformedEntry,
        FaultKind::OtherPatient,
        FaultKind::LoopingNext,
        FaultKind::ForeignNext,
        FaultKind::ExpiredToken,
        FaultKind::RevokedToken,
    ]
}

fn at_token() -> Vec<FaultKind> {
    let error = |error: &str| FaultKind::TokenError {
        error: error.to_owned(),
        status: 400,
    };
    vec![
        error("invalid_grant"),
        error("invalid_client"),
        error("temporarily_unavailable"),
        FaultKind::Huge { megabytes: 2 },
    ]
}

/// Every fault that a sync can meet.
pub(crate) fn all() -> Vec<Kind> {
    let at = |endpoint: Endpoint, faults: Vec<FaultKind>| {
        faults
            .into_iter()
            .map(move |fault| Kind { endpoint, fault })
    };
    let mut kinds: Vec<Kind> = at(Endpoint::Fhir, anywhere()).collect();
    kinds.extend(at(Endpoint::Fhir, at_records()));
    kinds.extend(at(Endpoint::Token, anywhere()));
    kinds.extend(at(Endpoint::Token, at_token()));
    kinds.extend(at(Endpoint::Metadata, anywhere()));
    kinds.push(Kind {
        endpoint: Endpoint::Metadata,
        fault: FaultKind::XmlAnswer,
    });
    kinds
}

/// Each fault by itself: at the first request, in the middle, among what others refer to; and for good.
pub(crate) fn alone() -> Vec<Case> {
    let moments = [(0, 1), (9, 1), (26, 2), (45, 1), (5, 1_000)];
    all()
        .into_iter()
        .flat_map(|kind| {
            moments
                .iter()
                .enumerate()
                .map(move |(at, (after, times))| Case {
                    // A server that is busy for good is waited for at each question.
                    faults: vec![(kind.clone(), *after, (*times).min(kind.most()))],
                    again: at % 2 == 1,
                })
        })
        .collect()
}

/// Each two of them, at moments of chance.
pub(crate) fn pairs(random: &mut StdRng) -> Vec<Case> {
    let kinds = all();
    let mut pairs = Vec::new();
    for (at, one) in kinds.iter().enumerate() {
        for other in &kinds[at..] {
            let mut moment = || {
                (
                    random.random_range(0..30),
                    [1, 1, 2, 6][random.random_range(0..4)],
                )
            };
            let (first, second) = (moment(), moment());
            pairs.push(Case {
                faults: vec![
                    (one.clone(), first.0, first.1),
                    (other.clone(), second.0, second.1),
                ],
                again: random.random_range(0..3) == 0,
            });
        }
    }
    pairs
}
