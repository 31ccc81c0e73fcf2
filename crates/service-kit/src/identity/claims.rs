//! From verified claims to a principal.

use chrono::{DateTime, TimeDelta, Utc};
use governance::Scope;
use serde_json::{Map, Value};

use super::{
    ClaimMapping, Grant, GrantScope, IssuerSettings, Principal, PrincipalKind,
    principal::is_role,
    principals::{MAX_SUBJECT, Principals},
    token::Refused,
};

/// Most grants a token may carry.
const MAX_GRANTS: usize = 256;

/// Longest `jti` in bytes.
const MAX_TOKEN_ID: usize = 256;

/// The year 9999: beyond it, a time is a mistake.
const MAX_TIME: i64 = 253_402_300_799;

/// Prefix of the roles of Bylaw's own services.
pub(super) const INTERNAL_PREFIX: &str = "bylaw-";

/// When a token holds, and for whom.
pub(super) struct Registered {
    pub subject: String,
    pub token_id: Option<String>,
    pub expires: DateTime<Utc>,
    pub act: Option<String>,
}

/// Checks the registered claims (RFC 7519, section 4.1).
pub(super) fn registered(
    claims: &Map<String, Value>,
    audience: &[String],
    now: DateTime<Utc>,
    skew: TimeDelta,
) -> Result<Registered, Refused> {
    let expires = time(claims, "exp")?.ok_or(Refused::Missing("exp"))?;
    let issued = time(claims, "iat")?.ok_or(Refused::Missing("iat"))?;
    if expires + skew <= now {
        return Err(Refused::Expired);
    }
    if issued > now + skew {
        return Err(Refused::NotYet("iat"));
    }
    if time(claims, "nbf")?.is_some_and(|from| from > now + skew) {
        return Err(Refused::NotYet("nbf"));
    }
    if expires <= issued {
        return Err(Refused::Claim("exp", "is not after iat"));
    }
    check_audience(claims, audience)?;
    let subject = text(claims, "sub", MAX_SUBJECT)?.ok_or(Refused::Missing("sub"))?;
    let act = match claims.get("act") {
        None => None,
        Some(Value::Object(act)) => {
            Some(text(act, "sub", MAX_SUBJECT)?.ok_or(Refused::Missing("act.sub"))?)
        }
        Some(_) => return Err(Refused::Claim("act", "is not an object")),
    };
    Ok(Registered {
        subject,
        token_id: text(claims, "jti", MAX_TOKEN_ID)?,
        expires,
        act,
    })
}

/// A NumericDate. A string is refused: readers that skip it skip the check.
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<DateTime<Utc>>, Refused> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let wrong = || Refused::Claim(name, "is not a number of seconds since 1970");
    let number = value.as_number().ok_or_else(wrong)?;
    let seconds = match (number.as_i64(), number.as_f64()) {
        (Some(seconds), _) => seconds,
        // A fraction is legal; the second it falls into is exact enough. The bound
        // comes before the conversion, so that nothing is cut off.
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the guard")]
        (None, Some(seconds)) if (0.0..=1e11).contains(&seconds) => seconds.floor() as i64,
        (None, _) => return Err(wrong()),
    };
    if !(0..=MAX_TIME).contains(&seconds) {
        return Err(wrong());
    }
    DateTime::from_timestamp(seconds, 0)
        .map(Some)
        .ok_or_else(wrong)
}

fn text(
    claims: &Map<String, Value>,
    name: &'static str,
    max: usize,
) -> Result<Option<String>, Refused> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => {
            let fits = !text.is_empty() && text.len() <= max;
            if fits && !text.chars().any(char::is_control) {
                return Ok(Some(text.clone()));
            }
            Err(Refused::Claim(
                name,
                "is empty, too long or has control characters",
            ))
        }
        Some(_) => Err(Refused::Claim(name, "is not a string")),
    }
}

fn check_audience(claims: &Map<String, Value>, wanted: &[String]) -> Result<(), Refused> {
    let named: Vec<&str> = match claims.get("aud") {
        None => return Err(Refused::Missing("aud")),
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many
            .iter()
            .map(Value::as_str)
            .collect::<Option<_>>()
            .ok_or(Refused::Claim("aud", "is not a list of strings"))?,
        Some(_) => {
            return Err(Refused::Claim(
                "aud",
                "is not a string or a list of strings",
            ));
        }
    };
    if named.iter().any(|name| wanted.iter().any(|w| w == name)) {
        return Ok(());
    }
    Err(Refused::Audience)
}

/// Maps the claims, and what settings know of the subject, to a principal.
pub(super) fn principal(
    issuer: &IssuerSettings,
    known: &Principals,
    claims: &Map<String, Value>,
    registered: Registered,
) -> Result<Principal, Refused> {
    let item = known.get(&issuer.issuer, &registered.subject);
    let kind = match item.and_then(|item| item.kind) {
        Some(kind) => kind,
        None => kind(claims, issuer)?,
    };
    // What settings grant is the operator's word; only what a token claims is checked
    // against what its issuer may say.
    let grants = match item.and_then(|item| item.grants.clone()) {
        Some(grants) => grants,
        None => {
            let grants = grants(claims, &issuer.claims)?;
            check_grants(&grants, kind, issuer.internal)?;
            grants
        }
    };
    Ok(Principal {
        issuer: issuer.issuer.clone(),
        subject: registered.subject,
        kind,
        grants,
        token_id: registered.token_id,
        expires: registered.expires,
        asserts: item.map(|item| item.asserts.clone()).unwrap_or_default(),
        owner: item.and_then(|item| item.owner.clone()),
    })
}

fn kind(claims: &Map<String, Value>, issuer: &IssuerSettings) -> Result<PrincipalKind, Refused> {
    match lookup(claims, &issuer.claims.kind) {
        Some(Value::String(text)) => text
            .parse()
            .map_err(|_| Refused::Claim("kind", "is none of person, service, model")),
        Some(_) => Err(Refused::Claim("kind", "is not a string")),
        None => issuer.default_kind.ok_or(Refused::Missing("kind")),
    }
}

fn grants(claims: &Map<String, Value>, mapping: &ClaimMapping) -> Result<Vec<Grant>, Refused> {
    let roles = strings(claims, &mapping.grants)?;
    let grants: Vec<Grant> = match &mapping.scopes {
        None => roles
            .into_iter()
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|_| Refused::Claim("grants", "has an entry that is not role@scope"))?,
        Some(scopes) => {
            let scopes = strings(claims, scopes)?
                .into_iter()
                .map(Scope::parse)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| Refused::Claim("scopes", "has an entry that is no scope path"))?;
            if !roles.iter().all(|role| is_role(role)) {
                return Err(Refused::Claim(
                    "grants",
                    "has an entry that is no role name",
                ));
            }
            if roles.len().saturating_mul(scopes.len()) > MAX_GRANTS {
                return Err(Refused::Claim("grants", "are too many"));
            }
            let at = |role| {
                scopes
                    .iter()
                    .map(move |s| Grant::new(role, GrantScope::Under(s.clone())))
            };
            roles.into_iter().flat_map(at).collect()
        }
    };
    if grants.len() > MAX_GRANTS {
        return Err(Refused::Claim("grants", "are too many"));
    }
    Ok(grants)
}

fn check_grants(grants: &[Grant], kind: PrincipalKind, internal: bool) -> Result<(), Refused> {
    for grant in grants {
        let everywhere = grant.at == GrantScope::All;
        if everywhere && kind != PrincipalKind::Service {
            return Err(Refused::Claim(
                "grants",
                "hold everywhere, which only a service's may",
            ));
        }
        if (everywhere || grant.role.starts_with(INTERNAL_PREFIX)) && !internal {
            return Err(Refused::Claim(
                "grants",
                "are none that this issuer may give",
            ));
        }
    }
    Ok(())
}

fn strings<'a>(claims: &'a Map<String, Value>, claim: &str) -> Result<Vec<&'a str>, Refused> {
    let wrong = Refused::Claim("grants", "is not a list of strings");
    match lookup(claims, claim) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) if items.len() <= MAX_GRANTS => items
            .iter()
            .map(Value::as_str)
            .collect::<Option<_>>()
            .ok_or(wrong),
        Some(Value::Array(_)) => Err(Refused::Claim("grants", "are too many")),
        Some(_) => Err(wrong),
    }
}

/// A top-level claim, or what a JSON pointer (RFC 6901) leads to.
fn lookup<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let Some(path) = name.strip_prefix('/') else {
        return claims.get(name);
    };
    let (first, rest) = path.split_once('/').map_or((path, ""), |(a, b)| (a, b));
    let top = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
    if rest.is_empty() {
        return Some(top);
    }
    top.pointer(&format!("/{rest}"))
}
