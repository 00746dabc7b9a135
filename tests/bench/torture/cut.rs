//! A network that breaks after so many bytes: a proxy that passes everything on and then hangs up, for
//! good.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) struct Cut {
    pub(crate) port: u16,
    bytes: i64,
    left: Arc<AtomicI64>,
    task: JoinHandle<()>,
}

impl Cut {
    /// Passes on to `server`; its answers end after `bytes`.
    pub(crate) async fn after(server: SocketAddr, bytes: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let left = Arc::new(AtomicI64::new(bytes));
        let shared = Arc::clone(&left);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if shared.load(Ordering::SeqCst) > 0 {
                    tokio::spawn(pass(client, server, Arc::clone(&shared)));
                }
            }
        });
        Self {
            port,
            bytes,
            left,
            task,
        }
    }

    /// Bytes of answers that went through.
    pub(crate) fn passed(&self) -> i64 {
        self.bytes - self.left.load(Ordering::SeqCst)
    }

    /// Whether it came to the cut.
    pub(crate) fn happened(&self) -> bool {
        self.left.load(Ordering::SeqCst) <= 0
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: TcpStream, server: SocketAddr, left: Arc<AtomicI64>) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut bytes = vec![0; 4096];
    while let Ok(read) = from_server.read(&mut bytes).await {
        if read == 0 {
            break;
        }
        let before = left.fetch_sub(i64::try_from(read).unwrap_or(i64::MAX), Ordering::SeqCst);
        let may = usize::try_from(before.max(0)).unwrap_or(0).min(read);
        if to_client.write_all(&bytes[..may]).await.is_err() || may < read {
            break;
        }
    }
    up.abort();
}
