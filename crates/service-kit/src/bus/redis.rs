//! The event stream in Redis 7 and later: a stream per producer, consumer groups on it.
//!
//! An entry's id is the event's position (`<position>-0`), so that publishing again is
//! harmless and what a Redis lost is seen. A key beside the stream names the incarnation
//! of the database that it belongs to; it is missing in a Redis that restarted empty.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, Script, TlsCertificates,
    aio::MultiplexedConnection,
};
use tokio::{sync::Mutex, time::Instant};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use uuid::Uuid;

use super::{
    Bus, Delivery, Event, Positioned, Progress, Published, Stream, Subscription, Undecodable,
};
use crate::{
    error::{Error, Reason, Result},
    settings::Bus as Settings,
};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(2);

/// Longest wait for an answer.
const RESPONSE: Duration = Duration::from_secs(5);

/// A read waits this long for an event.
const BLOCK: Duration = Duration::from_secs(2);

/// Events that a member takes at once.
const TAKE: usize = 32;

/// The field of an entry that holds the event.
const FIELD: &str = "event";

/// Appends entries if the stream's last one is the expected one. A stream that belongs
/// to another incarnation is removed first; one that has never had an entry is kept with
/// its groups.
const PUBLISH: &str = r"
local last = 0
if redis.call('EXISTS', KEYS[1]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = tonumber(string.match(info[i + 1], '^%d+')) end
  end
end
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  if last > 0 then
    redis.call('DEL', KEYS[1])
    last = 0
  end
  redis.call('SET', KEYS[2], ARGV[1])
end
if last ~= tonumber(ARGV[2]) then return last end
for i = 3, #ARGV, 2 do
  redis.call('XADD', KEYS[1], ARGV[i] .. '-0', 'event', ARGV[i + 1])
end
return -1
";

/// Answers the last position, what all groups that count have passed, how many entries
/// are left after those are removed, which group is the furthest behind, and which groups
/// don't count. Without groups in the arguments, all count.
const PROGRESS: &str = r"
if redis.call('GET', KEYS[2]) ~= ARGV[1] or redis.call('EXISTS', KEYS[1]) == 0 then
  return {0, 0, 0, '', {}}
end
local function position(id) return tonumber(string.match(id, '^%d+')) end
local function fields(list)
  local map = {}
  for i = 1, #list, 2 do map[list[i]] = list[i + 1] end
  return map
end
local counts, strangers = {}, {}
for i = 2, #ARGV do counts[ARGV[i]] = 0 end
local top = position(fields(redis.call('XINFO', 'STREAM', KEYS[1]))['last-generated-id'])
for _, list in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = fields(list)
  local name = group['name']
  local at = position(group['last-delivered-id'])
  if group['pending'] > 0 then
    local first = redis.call('XPENDING', KEYS[1], name, '-', '+', 1)[1]
    if first then at = position(first[1]) - 1 end
  end
  if #ARGV == 1 or counts[name] then
    counts[name] = at
  else
    table.insert(strangers, name)
  end
end
local passed, slowest = top, ''
for name, at in pairs(counts) do
  if at < passed then passed, slowest = at, name end
end
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-0', passed + 1))
return {top, passed, redis.call('XLEN', KEYS[1]), slowest, strangers}
";

/// Streams in Redis.
pub struct Redis {
    shared: Connection,
    producers: Vec<Arc<str>>,
    claim_after: Duration,
    publish: Script,
    progress: Script,
}

impl Redis {
    /// Streams in the Redis of these settings; connects when first used.
    ///
    /// # Errors
    /// If the URL is malformed, or the authorities can't be read.
    pub fn open(settings: &Settings) -> Result<Self> {
        let client = client(settings)?;
        Ok(Self {
            shared: Connection::new(client, RESPONSE),
            producers: settings
                .producers
                .iter()
                .map(|p| p.as_str().into())
                .collect(),
            claim_after: settings.claim_after,
            publish: Script::new(PUBLISH),
            progress: Script::new(PROGRESS),
        })
    }
}

#[async_trait]
impl Bus for Redis {
    async fn publish(
        &self,
        stream: Stream<'_>,
        after: u64,
        events: &[Positioned],
    ) -> Result<Published> {
        let mut call = self.publish.prepare_invoke();
        call.key(key(stream.producer))
            .key(incarnation_key(stream.producer))
            .arg(stream.incarnation)
            .arg(after);
        for Positioned { position, event } in events {
            call.arg(*position).arg(event.to_json()?);
        }
        let mut connection = self.shared.get().await?;
        let top: i64 = self
            .shared
            .checked(call.invoke_async(&mut connection).await)
            .await?;
        Ok(match u64::try_from(top) {
            Ok(top) => Published::Elsewhere { top },
            Err(_) => Published::Done,
        })
    }

    async fn progress(&self, stream: Stream<'_>, groups: &[String]) -> Result<Progress> {
        let mut call = self.progress.prepare_invoke();
        call.key(key(stream.producer))
            .key(incarnation_key(stream.producer))
            .arg(stream.incarnation)
            .arg(groups);
        let mut connection = self.shared.get().await?;
        let answer = call.invoke_async(&mut connection).await;
        let (top, passed, waiting, slowest, strangers): (_, _, _, String, _) =
            self.shared.checked(answer).await?;
        Ok(Progress {
            top,
            passed,
            waiting,
            slowest: Some(slowest).filter(|name| !name.is_empty()),
            strangers,
        })
    }

    fn subscribe(&self, group: &str) -> Box<dyn Subscription> {
        Box::new(Member {
            connection: Connection::new(self.shared.client.clone(), BLOCK + RESPONSE),
            group: group.to_owned(),
            consumer: Uuid::now_v7().simple().to_string(),
            producers: self.producers.clone(),
            claim_after: self.claim_after,
            claim_next: Instant::now(),
            joined: false,
        })
    }
}

fn client(settings: &Settings) -> Result<Client> {
    let refused = |field: &str, problem: String| Error::invalid(format!("bus.{field}"), problem);
    // The driver takes the process's provider; one that is set already stays.
    let _ = aws_lc_rs::default_provider().install_default();
    let root_cert = match &settings.ca {
        None => None,
        Some(path) => Some(
            std::fs::read(path).map_err(|e| refused("ca", format!("{}: {e}", path.display())))?,
        ),
    };
    let url = settings.url.expose();
    let client = if url.starts_with("rediss://") {
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert,
        };
        Client::build_with_tls(url, certificates)
    } else {
        Client::open(url)
    };
    // The driver's message may hold the URL, and so its password.
    client.map_err(|e| refused("url", format!("isn't one that can be used: {:?}", e.kind())))
}

/// The braces keep a producer's keys on one node of a cluster.
fn key(producer: &str) -> String {
    format!("bylaw:{{{producer}}}:events")
}

fn incarnation_key(producer: &str) -> String {
    format!("bylaw:{{{producer}}}:incarnation")
}

fn unavailable(error: RedisError) -> Error {
    let message = "the event stream can't be reached";
    Error::unavailable(Reason::PeerUnavailable, message).with_source(error)
}

/// A connection that is made when it is needed and again when it broke.
struct Connection {
    client: Client,
    config: AsyncConnectionConfig,
    current: Mutex<Option<MultiplexedConnection>>,
}

impl Connection {
    fn new(client: Client, response: Duration) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(response));
        Self {
            client,
            config,
            current: Mutex::new(None),
        }
    }

    async fn get(&self) -> Result<MultiplexedConnection> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &*current {
            return Ok(connection.clone());
        }
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&self.config)
            .await
            .map_err(unavailable)?;
        *current = Some(connection.clone());
        Ok(connection)
    }

    /// Drops the connection where the answer says that it is of no more use.
    async fn checked<T>(&self, answer: Result<T, RedisError>) -> Result<T> {
        match answer {
            Ok(value) => Ok(value),
            Err(error) => {
                if !matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) {
                    *self.current.lock().await = None;
                }
                Err(unavailable(error))
            }
        }
    }
}

type Entries = Vec<(String, HashMap<String, Vec<u8>>)>;

struct Member {
    connection: Connection,
    group: String,
    consumer: String,
    producers: Vec<Arc<str>>,
    claim_after: Duration,
    claim_next: Instant,
    /// Whether the groups are known to exist.
    joined: bool,
}

impl Member {
    /// Makes the groups, from the first event that is there.
    async fn join(&mut self) -> Result<()> {
        let mut connection = self.connection.get().await?;
        for producer in &self.producers {
            let made: Result<(), RedisError> = redis::cmd("XGROUP")
                .arg("CREATE")
                .arg(key(producer))
                .arg(&self.group)
                .arg("0")
                .arg("MKSTREAM")
                .query_async(&mut connection)
                .await;
            match made {
                Err(error) if error.code() == Some("BUSYGROUP") => {}
                other => self.connection.checked(other).await?,
            }
        }
        self.joined = true;
        Ok(())
    }

    /// Takes over what members that are gone, or stuck, hold.
    async fn claim(&mut self) -> Result<Vec<Delivery>, RedisError> {
        let mut connection = self.connection.get().await.map_err(into_redis)?;
        let mut deliveries = Vec::new();
        for producer in &self.producers {
            let (_, entries, _): (String, Entries, Vec<String>) = redis::cmd("XAUTOCLAIM")
                .arg(key(producer))
                .arg(&self.group)
                .arg(&self.consumer)
                .arg(millis(self.claim_after))
                .arg("0-0")
                .arg("COUNT")
                .arg(TAKE)
                .query_async(&mut connection)
                .await?;
            deliveries.extend(entries.into_iter().map(|entry| delivery(producer, entry)));
        }
        Ok(deliveries)
    }

    async fn read(&mut self) -> Result<Vec<Delivery>, RedisError> {
        let mut connection = self.connection.get().await.map_err(into_redis)?;
        let keys: Vec<_> = self.producers.iter().map(|p| key(p)).collect();
        let streams: Option<Vec<(String, Entries)>> = redis::cmd("XREADGROUP")
            .arg("GROUP")
            .arg(&self.group)
            .arg(&self.consumer)
            .arg("COUNT")
            .arg(TAKE)
            .arg("BLOCK")
            .arg(millis(BLOCK.min(self.claim_after)))
            .arg("STREAMS")
            .arg(&keys)
            .arg(vec![">"; keys.len()])
            .query_async(&mut connection)
            .await?;
        let mut deliveries = Vec::new();
        for (name, entries) in streams.into_iter().flatten() {
            let Some(place) = keys.iter().position(|key| *key == name) else {
                continue;
            };
            let producer = &self.producers[place];
            deliveries.extend(entries.into_iter().map(|entry| delivery(producer, entry)));
        }
        Ok(deliveries)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// An error of ours on its way to [`Connection::checked`].
fn into_redis(error: Error) -> RedisError {
    RedisError::from((ErrorKind::Io, "no connection", error.to_string()))
}

fn delivery(producer: &Arc<str>, (id, mut fields): (String, HashMap<String, Vec<u8>>)) -> Delivery {
    let raw = fields.remove(FIELD).unwrap_or_default();
    let event = Event::from_json(&raw)
        .map(Arc::new)
        .map_err(|error| Undecodable {
            problem: error.message().to_owned(),
            raw: String::from_utf8_lossy(&raw).into_owned(),
        });
    Delivery {
        producer: Arc::clone(producer),
        id,
        event,
    }
}

#[async_trait]
impl Subscription for Member {
    async fn next(&mut self) -> Result<Vec<Delivery>> {
        if !self.joined {
            self.join().await?;
        }
        let answer = if Instant::now() >= self.claim_next {
            let claimed = self.claim().await;
            // More may be there where a whole batch was.
            if !matches!(&claimed, Ok(all) if all.len() >= TAKE) {
                self.claim_next = Instant::now() + self.claim_after / 2;
            }
            match claimed {
                Ok(none) if none.is_empty() => self.read().await,
                other => other,
            }
        } else {
            self.read().await
        };
        match answer {
            // A Redis that restarted empty, or a stream that was started anew.
            Err(error) if error.code() == Some("NOGROUP") => {
                self.joined = false;
                Ok(Vec::new())
            }
            other => self.connection.checked(other).await,
        }
    }

    async fn acknowledge(&mut self, delivery: &Delivery) -> Result<()> {
        let mut connection = self.connection.get().await?;
        let answer: Result<u64, RedisError> = redis::cmd("XACK")
            .arg(key(&delivery.producer))
            .arg(&self.group)
            .arg(&delivery.id)
            .query_async(&mut connection)
            .await;
        self.connection.checked(answer).await.map(drop)
    }

    async fn keep(&mut self, deliveries: &[Delivery]) -> Result<()> {
        let mut connection = self.connection.get().await?;
        for delivery in deliveries {
            let answer: Result<Vec<String>, RedisError> = redis::cmd("XCLAIM")
                .arg(key(&delivery.producer))
                .arg(&self.group)
                .arg(&self.consumer)
                .arg(0)
                .arg(&delivery.id)
                .arg("JUSTID")
                .query_async(&mut connection)
                .await;
            match answer {
                Err(error) if error.code() == Some("NOGROUP") => {}
                other => drop(self.connection.checked(other).await?),
            }
        }
        Ok(())
    }
}
