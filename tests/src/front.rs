//! A front before one peer of one process: it can be slow, cut, or down, and it knows enough of Kafka's and Postgres'
//! protocols to act in the middle of a call: to kill the process there, or to lose the answer.

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// What the peer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Kafka's protocol: frames with a length, requests with a kind and a number.
    Kafka,
    /// Postgres' protocol.
    Postgres,
}

/// The call in which something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Records of a transaction.
    Produce,
    /// Offsets of a transaction.
    TxnOffsetCommit,
    /// The end of a transaction.
    EndTxn,
    /// The end of a transaction of Postgres.
    Commit,
}

impl Call {
    /// Kafka's number of it.
    fn api(self) -> Option<i16> {
        match self {
            Self::Produce => Some(0),
            Self::EndTxn => Some(26),
            Self::TxnOffsetCommit => Some(28),
            Self::Commit => None,
        }
    }
}

/// What happens in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The process dies, and the call does not reach the peer.
    KillBefore(Pid),
    /// The call reaches the peer, and the process dies before the answer.
    KillAfter(Pid),
    /// The call reaches the peer; the answer is lost, and the connection with it.
    LoseAnswer,
}

#[derive(Debug, Default)]
struct State {
    latency_ms: AtomicU64,
    /// Bytes of a write; 0 for all at once.
    slice_bytes: AtomicU64,
    is_down: AtomicBool,
    trap: Mutex<Option<(Call, Act)>>,
    connections: Mutex<Vec<TcpStream>>,
}

/// A front on ports of its own, one for each address of the peer, for as long as the process lives.
#[derive(Debug, Clone)]
pub struct Front {
    addresses: Vec<SocketAddr>,
    state: Arc<State>,
}

/// The ports of a peer, each with the port of this front that leads to it.
type Ports = Arc<[(u16, u16)]>;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Front {
    /// A front of `peer`: a `host:port`, or those of several brokers with commas between them.
    ///
    /// # Errors
    /// No such peer; the system has no port or no thread.
    pub fn of(peer: &str, wire: Wire) -> anyhow::Result<Self> {
        let mut listeners = Vec::new();
        let (mut addresses, mut ports) = (Vec::new(), Vec::new());
        for peer in peer.split(',') {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("could not find a port")?;
            let address = listener.local_addr()?;
            let at = peer.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
            ports.push((at.with_context(|| format!("{peer} has no port"))?, address.port()));
            addresses.push(address);
            listeners.push((listener, peer.to_owned()));
        }
        let (front, ports) = (Self { addresses, state: Arc::default() }, Ports::from(ports));
        for (listener, peer) in listeners {
            let (state, ports) = (Arc::clone(&front.state), Arc::clone(&ports));
            thread::Builder::new()
                .name("front".to_owned())
                .spawn(move || listen(&listener, &peer, wire, &ports, &state))?;
        }
        Ok(front)
    }

    /// Where it listens, as clients are told: with commas between them where there are several.
    pub fn address(&self) -> String {
        let told: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        told.join(",")
    }

    /// From now on each piece of data is late by so much, and comes in pieces of so many bytes (0: whole).
    pub fn slow_down(&self, latency: Duration, slice_bytes: u64) {
        self.state.latency_ms.store(latency.as_millis() as u64, Ordering::Relaxed);
        self.state.slice_bytes.store(slice_bytes, Ordering::Relaxed);
    }

    /// Ends every connection.
    pub fn cut(&self) {
        for connection in locked(&self.state.connections).drain(..) {
            // It may be closed already.
            connection.shutdown(Shutdown::Both).unwrap_or_default();
        }
    }

    /// Takes no connection until told otherwise.
    pub fn go_down(&self, is_down: bool) {
        self.state.is_down.store(is_down, Ordering::Relaxed);
        if is_down {
            self.cut();
        }
    }

    /// Does this at the next such call, once.
    pub fn lie_in_wait(&self, call: Call, act: Act) {
        *locked(&self.state.trap) = Some((call, act));
    }

    /// Whether what it lies in wait for has come.
    pub fn is_sprung(&self) -> bool {
        locked(&self.state.trap).is_none()
    }

    /// Whether what it lay in wait for has come; it waits no more.
    pub fn has_sprung(&self) -> bool {
        locked(&self.state.trap).take().is_none()
    }
}

impl State {
    /// What happens in a call, if something does.
    fn spring(&self, is_met: impl Fn(Call) -> bool) -> Option<Act> {
        let mut trap = locked(&self.trap);
        let (_, act) = (*trap).filter(|(call, _)| is_met(*call))?;
        *trap = None;
        Some(act)
    }

    fn write(&self, to: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
        let latency = self.latency_ms.load(Ordering::Relaxed);
        if latency > 0 {
            thread::sleep(Duration::from_millis(latency));
        }
        let slice = self.slice_bytes.load(Ordering::Relaxed) as usize;
        if slice == 0 {
            return to.write_all(bytes);
        }
        for part in bytes.chunks(slice) {
            to.write_all(part)?;
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

fn listen(listener: &TcpListener, peer: &str, wire: Wire, ports: &Ports, state: &Arc<State>) {
    for client in listener.incoming().flatten() {
        if state.is_down.load(Ordering::Relaxed) {
            continue;
        }
        // A peer that is away refuses, as it would without a front.
        let Ok(server) = TcpStream::connect(peer) else { continue };
        if let Err(error) = join(client, server, wire, ports, state) {
            eprintln!("front of {peer}: {error:#}");
        }
    }
}

/// Answers that are not to arrive: by the number of their request, or all.
#[derive(Debug, Default)]
struct Lost {
    answers: Mutex<BTreeSet<i32>>,
    all: AtomicBool,
}

/// Joins a client with the peer, one thread each way.
fn join(
    client: TcpStream,
    server: TcpStream,
    wire: Wire,
    ports: &Ports,
    state: &Arc<State>,
) -> anyhow::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let mut connections = locked(&state.connections);
    connections.retain(|connection| connection.peer_addr().is_ok());
    connections.extend([client.try_clone()?, server.try_clone()?]);
    drop(connections);
    let lost = Arc::new(Lost::default());
    let (asks, answers) = ((client.try_clone()?, server.try_clone()?), (server, client));
    let (asked, heard) = (Arc::clone(state), Arc::clone(state));
    let (losing, ports) = (Arc::clone(&lost), Arc::clone(ports));
    let builder = || thread::Builder::new().name("front".to_owned());
    builder().spawn(move || requests(asks, wire, &asked, &losing))?;
    builder().spawn(move || replies(answers, wire, &ports, &heard, &lost))?;
    Ok(())
}

/// Kafka's frame with its length; some bytes of Postgres.
fn next(from: &mut TcpStream, wire: Wire) -> Option<Vec<u8>> {
    match wire {
        Wire::Kafka => {
            let mut frame = vec![0; 4];
            from.read_exact(&mut frame).ok()?;
            let length = i32::from_be_bytes(frame[..].try_into().ok()?);
            frame.resize(4 + usize::try_from(length).ok()?, 0);
            from.read_exact(&mut frame[4..]).ok()?;
            Some(frame)
        }
        Wire::Postgres => {
            let mut bytes = vec![0; 16 << 10];
            let count = from.read(&mut bytes).ok().filter(|count| *count > 0)?;
            bytes.truncate(count);
            Some(bytes)
        }
    }
}

fn number<const N: usize>(frame: &[u8], at: usize) -> Option<[u8; N]> {
    frame.get(at..at + N)?.try_into().ok()
}

/// Whether data of a client is such a call.
fn is_call(wire: Wire, bytes: &[u8], call: Call) -> bool {
    match wire {
        Wire::Kafka => number(bytes, 4).map(i16::from_be_bytes) == call.api(),
        Wire::Postgres => call == Call::Commit && bytes.windows(7).any(|part| part == b"COMMIT\0"),
    }
}

fn requests((mut from, mut to): (TcpStream, TcpStream), wire: Wire, state: &State, lost: &Lost) {
    while let Some(bytes) = next(&mut from, wire) {
        let act = state.spring(|call| is_call(wire, &bytes, call));
        if let Some(Act::KillBefore(pid)) = act {
            kill(pid);
            break;
        }
        if act == Some(Act::LoseAnswer) {
            match number(&bytes, 8).map(i32::from_be_bytes).filter(|_| wire == Wire::Kafka) {
                Some(request) => drop(locked(&lost.answers).insert(request)),
                None => lost.all.store(true, Ordering::Relaxed),
            }
        }
        if state.write(&mut to, &bytes).is_err() {
            break;
        }
        if let Some(Act::KillAfter(pid)) = act {
            kill(pid);
            break;
        }
    }
    end(&from, &to);
}

fn replies(
    (mut from, mut to): (TcpStream, TcpStream),
    wire: Wire,
    ports: &[(u16, u16)],
    state: &State,
    lost: &Lost,
) {
    while let Some(mut bytes) = next(&mut from, wire) {
        let is_lost = || match wire {
            Wire::Kafka => number(&bytes, 4)
                .map(i32::from_be_bytes)
                .is_some_and(|request| locked(&lost.answers).contains(&request)),
            Wire::Postgres => lost.all.load(Ordering::Relaxed),
        };
        if is_lost() {
            break;
        }
        if wire == Wire::Kafka {
            for pair in ports {
                advertise(&mut bytes, *pair);
            }
        }
        if state.write(&mut to, &bytes).is_err() {
            break;
        }
    }
    end(&from, &to);
}

/// Where a broker names its address, this front's port stands instead: clients go where they are told to.
fn advertise(frame: &mut [u8], (peer, own): (u16, u16)) {
    let named = [b"127.0.0.1".as_slice(), &i32::from(peer).to_be_bytes()].concat();
    let mut at = 0;
    while let Some(found) = frame[at..].windows(named.len()).position(|part| part == named) {
        let port = at + found + named.len() - 4;
        frame[port..port + 4].copy_from_slice(&i32::from(own).to_be_bytes());
        at = port + 4;
    }
}

fn kill(pid: Pid) {
    // It may have died by itself, which whoever set the trap sees.
    kill_process(pid, Signal::KILL).unwrap_or_default();
}

fn end(from: &TcpStream, to: &TcpStream) {
    for side in [from, to] {
        // It may be closed already.
        side.shutdown(Shutdown::Both).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer that answers each Kafka frame with its number and the address of its own port.
    fn peer() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                thread::spawn(move || {
                    while let Some(frame) = next(&mut client, Wire::Kafka) {
                        let mut answer = frame[8..12].to_vec();
                        answer.extend_from_slice(b"127.0.0.1");
                        answer.extend(i32::from(address.port()).to_be_bytes());
                        let length = (answer.len() as i32).to_be_bytes();
                        client.write_all(&[&length[..], &answer].concat()).expect("answers");
                    }
                });
            }
        });
        address
    }

    fn ask(front: &Front, api: i16, request: i32) -> Option<Vec<u8>> {
        ask_at(front.addresses[0], api, request)
    }

    fn ask_at(front: SocketAddr, api: i16, request: i32) -> Option<Vec<u8>> {
        let mut client = TcpStream::connect(front).expect("connects");
        let body = [&api.to_be_bytes()[..], &[0, 3], &request.to_be_bytes()].concat();
        client.write_all(&[&(body.len() as i32).to_be_bytes()[..], &body].concat()).expect("asks");
        next(&mut client, Wire::Kafka)
    }

    #[test]
    fn answers_pass_with_the_fronts_own_address_in_them() {
        let front = Front::of(&peer().to_string(), Wire::Kafka).expect("a front");
        let answer = ask(&front, 3, 77).expect("an answer");
        assert_eq!(answer[4..8], 77_i32.to_be_bytes());
        assert_eq!(answer[17..], i32::from(front.addresses[0].port()).to_be_bytes());
    }

    #[test]
    fn each_of_several_brokers_has_a_port_of_its_own() {
        let peers = [peer(), peer()];
        let front = Front::of(&format!("{},{}", peers[0], peers[1]), Wire::Kafka).expect("a front");
        assert_eq!(front.address(), format!("{},{}", front.addresses[0], front.addresses[1]));
        for address in &front.addresses {
            let answer = ask_at(*address, 3, 1).expect("an answer");
            assert_eq!(answer[17..], i32::from(address.port()).to_be_bytes());
        }
        assert!(Front::of("nowhere", Wire::Kafka).is_err());
    }

    #[test]
    fn the_answer_of_the_call_that_is_lain_in_wait_for_is_lost_once() {
        let front = Front::of(&peer().to_string(), Wire::Kafka).expect("a front");
        front.lie_in_wait(Call::EndTxn, Act::LoseAnswer);
        assert!(ask(&front, 0, 1).is_some(), "another call");
        assert_eq!(ask(&front, 26, 2), None);
        assert!(front.has_sprung() && ask(&front, 26, 3).is_some(), "only once");
        front.lie_in_wait(Call::EndTxn, Act::LoseAnswer);
        assert!(!front.has_sprung(), "nothing came");
    }

    #[test]
    fn a_front_that_is_down_takes_nobody() {
        let front = Front::of(&peer().to_string(), Wire::Kafka).expect("a front");
        front.go_down(true);
        assert_eq!(ask(&front, 3, 1), None);
        front.go_down(false);
        assert!(ask(&front, 3, 2).is_some());
    }
}
