//! Values that must not be seen: tokens, keys, passwords of clients.

use std::fmt;
use zeroize::Zeroize;

/// A value that prints as `[secret]`, is not serialised by accident, and is overwritten when it is
/// dropped. [`Secret::expose`] is the one way to see it.
pub struct Secret<T: Zeroize>(T);

/// A secret text: access token, refresh token, client secret.
pub type SecretString = Secret<String>;

impl<T: Zeroize> Secret<T> {
    /// Takes the value in.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value in clear: for a request, the keychain or the encrypted database, never for a log.
    #[must_use]
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// `#[serde(with = "...")]` for the few secrets that travel inside a stored pending login. The name
/// says where alone the result may go.
pub(crate) mod for_encrypted_store {
    use super::SecretString;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        secret: &SecretString,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<SecretString, D::Error> {
        String::deserialize(from).map(SecretString::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = SecretString::new("hunter2".into());
        assert_eq!(
            format!("{secret:?} {:#?}", Some(&secret)),
            "[secret] Some(\n    [secret],\n)"
        );
        assert_eq!(secret.clone().expose(), "hunter2");
    }
}
