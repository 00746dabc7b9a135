//! Attacks, and what each of them ends in. None succeeds; each ends in a problem that names what was
//! wrong. `docs/attacks.md` lists them.
//!
//! How to add an attack: 1. a test in the file of its theme, named by a sentence, with the number of the
//! checklist before it where there is one; several of a kind are named `#[case]`s of one test; 2. it says
//! by the code of the problem what the attack ends in, and asserts that nothing was gained: nothing
//! stored, nothing sent to the attacker; 3. `UPDATE_ATTACKS=1 cargo test -p satchel --test it attacks`
//! writes the page anew.

mod answers;
mod brands;
mod clock;
mod codes;
mod deep_links;
mod forwarding;
mod id_token;
mod issuer;
mod keys;
mod loopback;
mod metadata;
mod mix_up;
mod page;
mod pkce;
mod redirects;
mod refresh;
mod registration;
mod rogue;
mod state;
