//! Where a connection stands, and the only function that changes it.
//!
//! ```text
//!        LoginStarted              LoginCompleted
//!  New ───────────────▶ Authorizing ─────────────▶ Connected ──AccessRefused──▶ AccessLost
//!   ▲                    │   ▲ LoginStarted           │  ▲                          │
//!   └──── LoginFailed ───┘   └────────────────────────┘  └── (back by return_to) ───┘
//! ```
//! A login that fails lands where it came from: `return_to`.

use serde::{Deserialize, Serialize};

/// Why the server no longer lets this installation in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessLostReason {
    /// The token endpoint refused the refresh token (`invalid_grant`): switched off in the portal,
    /// or lapsed.
    GrantEnded,
    /// The access token ended and the server gave no refresh token.
    Expired,
    /// The token endpoint no longer knows this client (`invalid_client`).
    RegistrationGone,
    /// The server refuses every record (`403`) although the token is valid.
    Refused,
    /// Switched off in the portal, by the person or by the practice; the server said so.
    SwitchedOff,
    /// The practice has not approved the app; the server said so.
    NotApproved,
    /// At the last sign-in the person, or the portal for them, said no (`access_denied`).
    Denied,
    /// The answer to a refresh was lost, and the server takes the refresh token no more.
    AnswerLost,
    /// The server renewed the sign-in for somebody else; nothing of that answer was kept.
    OtherPerson,
}

/// The state of a connection, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ConnectionState {
    /// Never signed in.
    New,
    /// The person is in the browser; a failure goes back to `return_to`.
    Authorizing {
        /// Where it came from. Never `Authorizing` itself.
        return_to: Box<ConnectionState>,
    },
    /// Signed in; tokens are stored.
    Connected,
    /// The server no longer lets us in; records stay readable.
    AccessLost {
        /// Why.
        reason: AccessLostReason,
    },
}

/// What happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEvent {
    /// The browser is being opened.
    LoginStarted,
    /// Tokens are there.
    LoginCompleted,
    /// Denied, wrong, late or cancelled.
    LoginFailed,
    /// The server ended our access.
    AccessRefused(AccessLostReason),
}

/// An event that a state has no answer to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen in {state:?}")]
pub struct ImpossibleTransition {
    /// The state.
    pub state: ConnectionState,
    /// The event.
    pub event: ConnectionEvent,
}

impl ConnectionState {
    /// The short name under which the state is stored.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Authorizing { .. } => "authorizing",
            Self::Connected => "connected",
            Self::AccessLost { .. } => "access_lost",
        }
    }
}

/// The next state. Pure; the one place where states change.
///
/// # Errors
/// [`ImpossibleTransition`] when the event has no meaning in the state, for example a completed
/// login that nobody began.
pub fn next(
    state: ConnectionState,
    event: ConnectionEvent,
) -> Result<ConnectionState, ImpossibleTransition> {
    use ConnectionEvent as E;
    use ConnectionState as S;
    match (state, event) {
        (S::Authorizing { return_to }, E::LoginStarted) => Ok(S::Authorizing { return_to }),
        (from, E::LoginStarted) => Ok(S::Authorizing {
            return_to: Box::new(from),
        }),
        (S::Authorizing { .. }, E::LoginCompleted) => Ok(S::Connected),
        (S::Authorizing { return_to }, E::LoginFailed) => Ok(*return_to),
        (S::Connected | S::AccessLost { .. }, E::AccessRefused(reason)) => {
            Ok(S::AccessLost { reason })
        }
        // Access ended while the person is signing in again: remember it for the way back.
        (S::Authorizing { .. }, E::AccessRefused(reason)) => Ok(S::Authorizing {
            return_to: Box::new(S::AccessLost { reason }),
        }),
        (state, event) => Err(ImpossibleTransition { state, event }),
    }
}

#[cfg(test)]
mod tests {
    use super::{AccessLostReason as R, ConnectionEvent as E, ConnectionState as S, *};

    fn authorizing(from: S) -> S {
        S::Authorizing {
            return_to: Box::new(from),
        }
    }

    #[test]
    fn a_denied_first_login_goes_back_to_new() {
        assert_eq!(next(authorizing(S::New), E::LoginFailed), Ok(S::New));
    }

    #[test]
    fn a_denied_second_login_keeps_the_first() {
        let again = next(S::Connected, E::LoginStarted).unwrap();
        assert_eq!(next(again, E::LoginFailed), Ok(S::Connected));
    }

    #[test]
    fn a_second_click_does_not_forget_where_it_came_from() {
        let lost = S::AccessLost {
            reason: R::GrantEnded,
        };
        let once = next(lost.clone(), E::LoginStarted).unwrap();
        let twice = next(once, E::LoginStarted).unwrap();
        assert_eq!(next(twice, E::LoginFailed), Ok(lost));
    }

    #[test]
    fn access_refused_during_a_login_is_remembered() {
        let refused = next(authorizing(S::Connected), E::AccessRefused(R::Expired)).unwrap();
        assert_eq!(
            next(refused, E::LoginFailed),
            Ok(S::AccessLost { reason: R::Expired })
        );
    }

    #[test]
    fn a_login_that_nobody_began_cannot_complete() {
        assert!(next(S::New, E::LoginCompleted).is_err());
        assert!(next(S::Connected, E::LoginCompleted).is_err());
        assert!(next(S::New, E::AccessRefused(R::Refused)).is_err());
    }

    #[test]
    fn states_survive_storage() {
        let state = authorizing(S::AccessLost {
            reason: R::RegistrationGone,
        });
        let json = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<S>(&json).unwrap(), state);
    }
}
