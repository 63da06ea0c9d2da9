//! A TCP proxy in front of a server that knows where a client's messages end, and does one kind of harm at one of them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Whose messages go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// PostgreSQL's, version 3.
    Postgres,
    /// MySQL's and MariaDB's.
    Mysql,
}

/// What is done to a message of a client, or behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// The connection breaks before the server sees any of it.
    Drop,
    /// The server sees half of its bytes, then the connection breaks.
    CutMessage,
    /// The server sees it and answers; the answer does not arrive, the connection breaks.
    LoseAnswer,
    /// Half of the first bytes of the answer arrive, then the connection breaks.
    CutAnswer,
    /// The client sees the end of the stream at once, and the server works on until the client hangs up.
    HalfClose,
    /// From here on nothing arrives on any connection, in either direction, and no connection ends.
    Silence,
    /// Each message, and each answer, arrives late, in pieces.
    Slow,
    /// What [`Proxy::plan_act`] was given is done, and the message goes on to the server afterwards.
    ActBefore,
    /// The message goes to the server, and what [`Proxy::plan_act`] was given is done while it works.
    ActBeside,
}

/// What a test does to the server at some message.
type Act = Box<dyn FnOnce() + Send>;

/// What goes on in all connections of a proxy.
struct Shared {
    protocol: Protocol,
    server: u16,
    /// Messages of clients so far, with what they say.
    seen: Mutex<Vec<String>>,
    /// What to do, at which messages (from 1).
    plan: Mutex<Vec<(Harm, usize)>>,
    /// What to do at the message that is so many from now among those that say one of these.
    at_words: Mutex<Option<(Harm, Vec<String>, usize)>>,
    act: Mutex<Option<Act>>,
    /// Whether all of it was done.
    done: AtomicBool,
    /// Whether new connections are refused once it was done.
    stays_away: AtomicBool,
    /// Whether nothing goes through any more, though nothing is closed.
    silent: AtomicBool,
    over: AtomicBool,
}

/// The proxy. Its connections end with it.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    sockets: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    /// A proxy in front of a server on localhost.
    pub fn start(protocol: Protocol, server: u16) -> Proxy {
        let door = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = door.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            protocol,
            server,
            seen: Mutex::default(),
            plan: Mutex::default(),
            at_words: Mutex::default(),
            act: Mutex::default(),
            done: AtomicBool::new(false),
            stays_away: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        let sockets: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let (of_thread, kept) = (Arc::clone(&shared), Arc::clone(&sockets));
        thread::spawn(move || {
            for client in door.incoming().flatten() {
                if of_thread.over.load(Ordering::SeqCst) {
                    return;
                }
                let away =
                    of_thread.stays_away.load(Ordering::SeqCst) && of_thread.done.load(Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(("127.0.0.1", of_thread.server)) else { continue };
                if away {
                    continue;
                }
                serve(&of_thread, &kept, client, server);
            }
        });
        Proxy { port, shared, sockets }
    }

    /// `url` through this proxy.
    pub fn url(&self, url: &str) -> String {
        let mut through = url::Url::parse(url).unwrap();
        through.set_port(Some(self.port)).unwrap();
        if through.scheme() == "mysql" {
            // Servers that come with a certificate would be spoken to so that nobody in between sees a message.
            through.query_pairs_mut().append_pair("ssl-mode", "DISABLED");
        }
        through.into()
    }

    /// Does `harm` at the `message`-th message from now (from 1), and counts anew. Where `stays_away`, nobody gets
    /// through afterwards.
    pub fn plan(&self, harm: Harm, message: usize, stays_away: bool) {
        self.plan_all(&[(harm, message)], stays_away);
    }

    /// Does `harm` at the next message that says `words`, whatever its number: a run that takes long sends signs of life
    /// in between.
    pub fn plan_at(&self, harm: Harm, words: &str) {
        self.plan_among(harm, &[words], 1, false);
    }

    /// Does `harm` at the `nth` message from now (from 1) among those that say one of `words`.
    pub fn plan_among(&self, harm: Harm, words: &[&str], nth: usize, stays_away: bool) {
        self.plan_all(&[], stays_away);
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        *self.shared.at_words.lock().unwrap() = Some((harm, words, nth));
    }

    /// The same, with harm at several messages.
    pub fn plan_all(&self, harms: &[(Harm, usize)], stays_away: bool) {
        self.shared.seen.lock().unwrap().clear();
        self.shared.done.store(false, Ordering::SeqCst);
        self.shared.silent.store(false, Ordering::SeqCst);
        self.shared.stays_away.store(stays_away, Ordering::SeqCst);
        *self.shared.plan.lock().unwrap() = harms.to_vec();
        *self.shared.at_words.lock().unwrap() = None;
    }

    /// Does `act` at the `message`-th message from now, before the server gets it, or `beside` its work on it.
    pub fn plan_act(&self, beside: bool, message: usize, act: impl FnOnce() + Send + 'static) {
        *self.shared.act.lock().unwrap() = Some(Box::new(act));
        self.plan(if beside { Harm::ActBeside } else { Harm::ActBefore }, message, false);
    }

    /// The messages since [`Proxy::plan`], each by what it says.
    pub fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Whether the harm was done.
    pub fn is_done(&self) -> bool {
        self.shared.done.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        for socket in self.sockets.lock().unwrap().drain(..) {
            socket.shutdown(Shutdown::Both).ok();
        }
        // The door's thread waits for one more.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

/// One connection: both sockets, and what its two directions tell each other.
struct Link {
    client: TcpStream,
    server: TcpStream,
    /// The harm that the answer which comes next suffers.
    answer: Mutex<Option<Harm>>,
}

fn serve(shared: &Arc<Shared>, kept: &Mutex<Vec<TcpStream>>, client: TcpStream, server: TcpStream) {
    for socket in [&client, &server] {
        socket.set_nodelay(true).ok();
        kept.lock().unwrap().push(socket.try_clone().unwrap());
    }
    let link = Arc::new(Link { client, server, answer: Mutex::default() });
    let (up, down) = (Arc::clone(&link), link);
    let (of_up, of_down) = (Arc::clone(shared), Arc::clone(shared));
    thread::spawn(move || {
        to_server(&of_up, &up).ok();
        hang_up(&of_up, &up);
    });
    thread::spawn(move || {
        to_client(&of_down, &down).ok();
        hang_up(&of_down, &down);
    });
}

/// Ends both sockets, unless the network is silent: then neither side is told.
fn hang_up(shared: &Shared, link: &Link) {
    if !shared.silent.load(Ordering::SeqCst) {
        link.client.shutdown(Shutdown::Both).ok();
        link.server.shutdown(Shutdown::Both).ok();
    }
}

/// Takes the client's messages one by one to the server.
fn to_server(shared: &Shared, link: &Link) -> std::io::Result<()> {
    let (mut client, mut server) = (&link.client, &link.server);
    let mut greeted = false;
    loop {
        let message = read_message(shared.protocol, &mut client, &mut greeted)?;
        let number = {
            let mut seen = shared.seen.lock().unwrap();
            seen.push(words(&message));
            seen.len()
        };
        let planned = shared.plan.lock().unwrap().clone();
        let strikes = |(harm, at): &&(Harm, usize)| *harm == Harm::Slow || *at == number;
        let said = shared.seen.lock().unwrap()[number - 1].clone();
        let by_words = shared.at_words.lock().unwrap().take_if(|(_, words, nth)| {
            *nth -= usize::from(words.iter().any(|word| said.contains(word.as_str())));
            *nth == 0
        });
        let harm = planned.iter().find(strikes).map(|(harm, _)| *harm).or(by_words.map(|(harm, _, _)| harm));
        if shared.silent.load(Ordering::SeqCst) {
            continue;
        }
        if harm.is_some() && planned.iter().all(|(harm, at)| *harm == Harm::Slow || *at <= number) {
            shared.done.store(true, Ordering::SeqCst);
        }
        match harm {
            None => server.write_all(&message)?,
            Some(Harm::Drop) => return Ok(()),
            Some(Harm::CutMessage) => return server.write_all(&message[..message.len() / 2]),
            Some(Harm::Silence) => shared.silent.store(true, Ordering::SeqCst),
            Some(Harm::HalfClose) => {
                server.write_all(&message)?;
                client.shutdown(Shutdown::Write)?;
            }
            Some(harm @ (Harm::LoseAnswer | Harm::CutAnswer)) => {
                *link.answer.lock().unwrap() = Some(harm);
                server.write_all(&message)?;
            }
            Some(harm @ (Harm::ActBefore | Harm::ActBeside)) => {
                if harm == Harm::ActBeside {
                    server.write_all(&message)?;
                }
                if let Some(act) = shared.act.lock().unwrap().take() {
                    act();
                }
                if harm == Harm::ActBefore {
                    server.write_all(&message)?;
                }
            }
            Some(Harm::Slow) => {
                for part in message.chunks(message.len().div_ceil(3).max(1)) {
                    server.write_all(part)?;
                    thread::sleep(Duration::from_millis(3));
                }
            }
        }
    }
}

/// Takes what the server says to the client, as it comes.
fn to_client(shared: &Shared, link: &Link) -> std::io::Result<()> {
    let (mut server, mut client) = (&link.server, &link.client);
    let slow = shared.plan.lock().unwrap().iter().any(|(harm, _)| *harm == Harm::Slow);
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = server.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        let part = &buffer[..length];
        if shared.silent.load(Ordering::SeqCst) {
            continue;
        }
        match *link.answer.lock().unwrap() {
            None if slow => {
                for byte in part.chunks(part.len().div_ceil(3).max(1)) {
                    thread::sleep(Duration::from_millis(2));
                    client.write_all(byte)?;
                }
            }
            // A client that has seen the end of the stream may be gone.
            None => drop(client.write_all(part)),
            Some(Harm::CutAnswer) => return client.write_all(&part[..length / 2]),
            Some(_) => {
                let ended = |part: &[u8]| part.ends_with(b"Z\0\0\0\x05I") || part.ends_with(b"Z\0\0\0\x05T");
                let over = shared.protocol == Protocol::Postgres && ended(part);
                if !over {
                    swallow(server);
                }
                return Ok(());
            }
        }
    }
}

/// Reads on until the server has said nothing for a while: its answer is over.
fn swallow(mut server: &TcpStream) {
    let mut buffer = [0; 16 * 1024];
    let started = Instant::now();
    server.set_read_timeout(Some(Duration::from_millis(40))).ok();
    while started.elapsed() < Duration::from_secs(5) && matches!(server.read(&mut buffer), Ok(1..)) {}
}

/// The next message of a client, with its header.
fn read_message(protocol: Protocol, client: &mut impl Read, greeted: &mut bool) -> std::io::Result<Vec<u8>> {
    let (header, length) = match protocol {
        Protocol::Mysql => {
            let mut header = [0; 4];
            client.read_exact(&mut header)?;
            (header.to_vec(), u32::from_le_bytes([header[0], header[1], header[2], 0]))
        }
        Protocol::Postgres => {
            // What opens a connection has no type; a request for TLS comes before it.
            const TLS_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();
            let kind = if *greeted { 1 } else { 0 };
            let mut header = vec![0; kind + 4];
            client.read_exact(&mut header)?;
            let length = u32::from_be_bytes(header[kind..].try_into().unwrap()) - 4;
            if !*greeted {
                let mut body = vec![0; length as usize];
                client.read_exact(&mut body)?;
                *greeted = body[..4] != TLS_REQUEST;
                header.extend(body);
                return Ok(header);
            }
            (header, length)
        }
    };
    let mut message = header;
    let start = message.len();
    message.resize(start + length as usize, 0);
    client.read_exact(&mut message[start..])?;
    Ok(message)
}

/// A message's first readable words, for people.
fn words(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let text: String = text.chars().filter(|character| !character.is_control()).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(400).collect()
}
