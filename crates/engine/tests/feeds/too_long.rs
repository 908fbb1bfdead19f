//! Messages that are longer than what is taken.

use super::*;

/// SPEC C8: it is set aside, its place is a gap with the reason, and the connection stays.
#[test]
fn a_message_over_the_limit_is_named() {
    for transport in [Transport::WebSocket, Transport::Sse, Transport::LongPoll] {
        let folder = tempfile::tempdir().unwrap();
        let (hub, server) = hub(&folder);
        publish(&hub, "a", "run/1", 1);
        let mut rig = Rig::new(&server.url()).kind(Kind::Hub).patient();
        rig.settings.token = Some(Secret("0123456789abcdef0123456789abcdef".into()));
        rig.settings.connection.transports = Transports::only(transport);
        rig.settings.poll_every = Duration::from_millis(20);
        rig.settings.max_frame_bytes = 20_000;
        let watching = rig.watch();
        stored(&watching, 1);
        let long = format!(r#"{{"long":"{}"}}"#, "x".repeat(30_000));
        let published =
            hub.publish_keyed("b".into(), StreamId("run/1".into()), vec![long], Micros(1));
        published.wait().unwrap();
        publish(&hub, "c", "run/1", 1);
        let (mut reasons, mut count) = (Vec::new(), 0);
        until(
            &watching,
            &format!("{transport:?}: the event behind it"),
            |news| {
                match news {
                    News::Quarantined(reason) => reasons.push(reason.clone()),
                    News::Stored(one) => count += one.stored,
                    News::Status(status) => assert_eq!(status.last_error, None, "{transport:?}"),
                    _ => {}
                }
                count == 1
            },
        );
        drop(watching);
        assert_eq!(reasons.len(), 1, "{transport:?}: {reasons:?}");
        assert!(reasons[0].contains("the limit is 20000"), "{reasons:?}");
        assert_eq!(rig.drawn(Kind::Hub), ["run/1@7000 0 [1-1] 2"]);
        let log = rig.log(Kind::Hub);
        let gap = log
            .iter()
            .map(text_line)
            .find(|line| line.starts_with("gap"));
        let gap = gap.unwrap();
        assert!(
            gap.contains("the limit is 20000; the beginning is in quarantine"),
            "{gap}"
        );
        let kept = rig.store.quarantine(&rig.feed(Kind::Hub), 0, 10).unwrap();
        assert_eq!(kept.total, 1);
        // Without what stands before the data of an event stream.
        let length = kept.rows[0].message.len();
        assert!((4_000..=4_096).contains(&length), "{transport:?}: {length}");
        let beginning = String::from_utf8_lossy(&kept.rows[0].message).into_owned();
        assert!(
            beginning.contains(r#""offset":1"#),
            "{transport:?}: {beginning:.80}"
        );
        // A new start neither asks for it again nor counts it again.
        stored_behind(&rig, &hub);
        assert_eq!(rig.store.quarantined(&rig.feed(Kind::Hub)).unwrap(), 1);
    }
}

fn stored_behind(rig: &Rig, hub: &Hub) {
    let watching = rig.watch();
    publish(hub, "d", "run/1", 1);
    stored(&watching, 1);
    assert_eq!(rig.drawn(Kind::Hub), ["run/1@7000 0 [1-1] 2 3"]);
}

/// A WebSocket cannot pass over what it does not read; an event stream can, and has its turn after some tries.
#[test]
fn a_message_that_ends_its_connection_is_set_aside_once_and_passed_over_in_the_end() {
    let server = FeedServer::start();
    server.append("run/1", 1);
    let long = format!(r#"{{"long":"{}"}}"#, "x".repeat(17 << 20));
    server.append_body("run/1", long);
    server.append("run/1", 1);
    let rig = Rig::new(&server.url()).kind(Kind::Hub).patient();
    let watching = rig.watch();
    let (mut reasons, mut count, mut told) = (Vec::new(), 0, false);
    until(&watching, "the event behind it", |news| {
        match news {
            News::Quarantined(reason) => reasons.push(reason.clone()),
            News::Stored(one) => count += one.stored,
            News::Status(status) => {
                let error = status.last_error.as_ref();
                told |= error.is_some_and(|error| {
                    error
                        .message
                        .contains("a connection ends at more than 16777216")
                });
            }
            _ => {}
        }
        count == 2
    });
    assert!(told, "why the connections ended");
    assert_eq!(rig.drawn(Kind::Hub), ["run/1@1000 0 [1-1] 2"]);
    // Once for all connections that it ended, and once with its beginning.
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(
        reasons
            .iter()
            .all(|reason| reason.contains("and the limit is")),
        "{reasons:?}"
    );
}

/// They are not read, so that an event came in between is all that tells two of the same length apart.
#[test]
fn two_messages_of_one_length_that_end_their_connections_are_two() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/events", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for n in 0.. {
            let (socket, _) = listener.accept().unwrap();
            let mut socket = tungstenite::accept(socket).unwrap();
            let event = format!(r#"{{"run_id":"r","node":"n{n}","phase":"start"}}"#);
            // Every second connection brings an event first.
            if n % 2 == 0 {
                socket.send(Message::text(event)).unwrap();
            }
            if n == 4 {
                while socket.read().is_ok() {}
                return;
            }
            // The client hangs up in the midst of it.
            let _ = socket.send(Message::text("x".repeat(17 << 20)));
        }
    });
    let rig = Rig::new(&url).kind(Kind::Workflow).patient();
    let watching = rig.watch();
    let (mut set_aside, mut count) = (0, 0);
    until(&watching, "the events of three connections", |news| {
        match news {
            News::Quarantined(reason) => {
                assert!(reason.contains("and the limit is"), "{reason}");
                set_aside += 1;
            }
            News::Stored(one) => count += one.stored,
            _ => {}
        }
        count == 3
    });
    assert_eq!(set_aside, 2, "of four, two of which were repeated");
    assert_eq!(rig.store.quarantined(&rig.feed(Kind::Workflow)).unwrap(), 2);
}
