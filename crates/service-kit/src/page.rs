//! Page sizes and page tokens, as AIP-158 has them.
//!
//! A token holds the cursor and a digest of the request's other parameters, so that it
//! can't go on with another query. It isn't secret and grants nothing: the next page is
//! authorized and filtered like the first.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Kind, Reason, Result};

/// At most this many bytes of a token are looked at.
const MAX_TOKEN_BYTES: usize = 4096;

/// Bytes of the digest that a token carries.
const DIGEST_BYTES: usize = 8;

/// The number of items to answer: `default` where none is asked for, at most `max`.
///
/// # Errors
/// If `requested` is negative.
pub fn size(requested: i32, default: u32, max: u32) -> Result<u64> {
    match u32::try_from(requested) {
        Err(_) => Err(Error::invalid(
            "page_size",
            format!("{requested} is negative, expected 0 to {max}"),
        )),
        Ok(0) => Ok(u64::from(default.min(max))),
        Ok(n) => Ok(u64::from(n.min(max))),
    }
}

/// A token for the page after `cursor` of the query with these parameters, such as the
/// method's name, its filter and its order.
#[must_use]
pub fn encode(cursor: &impl Serialize, params: &[&[u8]]) -> String {
    let mut bytes = digest(params).to_vec();
    // Cursors are plain structures of texts and numbers, which serde_json always writes;
    // one that it can't write gives a token that decode refuses.
    bytes.extend(serde_json::to_vec(cursor).unwrap_or_default());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The cursor of a token; `None` for an empty one, which asks for the first page.
///
/// # Errors
/// `PAGE_TOKEN_INVALID` if the token wasn't made by [`encode`] with the same parameters.
pub fn decode<C: DeserializeOwned>(token: &str, params: &[&[u8]]) -> Result<Option<C>> {
    if token.is_empty() {
        return Ok(None);
    }
    if token.len() > MAX_TOKEN_BYTES {
        return Err(refused("is too long"));
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(token)
        .map_err(|_| refused("is not one that this method gave"))?;
    let (mark, cursor) = bytes
        .split_at_checked(DIGEST_BYTES)
        .ok_or_else(|| refused("is not one that this method gave"))?;
    if mark != digest(params) {
        return Err(refused("was given for other parameters"));
    }
    serde_json::from_slice(cursor)
        .map(Some)
        .map_err(|_| refused("is not one that this method gave"))
}

fn refused(problem: &str) -> Error {
    Error::new(
        Kind::InvalidArgument,
        Reason::PageTokenInvalid,
        format!("page_token {problem}"),
    )
    .with_violation("page_token", problem)
}

fn digest(params: &[&[u8]]) -> [u8; DIGEST_BYTES] {
    let mut hash = Sha256::new();
    for param in params {
        hash.update((param.len() as u64).to_be_bytes());
        hash.update(param);
    }
    let hash = hash.finalize();
    let mut out = [0; DIGEST_BYTES];
    out.copy_from_slice(&hash[..DIGEST_BYTES]);
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    type Cursor = (i64, String);

    #[test]
    fn tokens_hold_for_their_query_only() {
        let cursor: Cursor = (7, "orders/1".to_owned());
        let token = encode(&cursor, &[b"List", b"a=1"]);
        assert_eq!(
            decode::<Cursor>(&token, &[b"List", b"a=1"]).unwrap(),
            Some(cursor)
        );
        for params in [&[b"List".as_slice(), b"a=2"][..], &[b"Lista", b"=1"], &[]] {
            let error = decode::<Cursor>(&token, params).unwrap_err();
            assert_eq!(error.reason(), Reason::PageTokenInvalid);
        }
    }

    #[test]
    fn malformed_tokens_are_refused() {
        assert_eq!(decode::<Cursor>("", &[]).unwrap(), None);
        let other = encode(&"text", &[]);
        let long = "A".repeat(MAX_TOKEN_BYTES + 1);
        for bad in ["x", "AAAA", "AAAAAAAAAAAA", "ä", "=", &other, &long] {
            assert!(decode::<Cursor>(bad, &[]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn sizes_have_a_default_and_a_maximum() {
        assert_eq!(size(0, 50, 1000).unwrap(), 50);
        assert_eq!(size(5000, 50, 1000).unwrap(), 1000);
        assert!(size(-1, 50, 1000).is_err());
    }
}
