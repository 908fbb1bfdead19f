//! A drag of files from another program, as a file manager makes it: the X drag-and-drop protocol, version 5
//! (<https://freedesktop.org/wiki/Specifications/XDND/>), spoken from a window of our own to the application's.

use std::path::Path;
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

x11rb::atom_manager! {
    /// The names of the protocol.
    Names: NamesCookie {
        XdndAware, XdndEnter, XdndPosition, XdndStatus, XdndDrop, XdndFinished, XdndLeave,
        XdndSelection, XdndActionCopy, URI_LIST: b"text/uri-list",
    }
}

/// What the source speaks.
const VERSION: u32 = 5;

/// How long the other side may take for an answer, on a busy machine.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Time between two looks for events.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Windows below windows that are looked through for the application's: a window manager frames it once or twice.
const DEPTH_MAX: u32 = 4;

/// What was let go over the application, as its window said.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took the files.
    Taken,
    /// It wanted none of it, when asked with the pointer over it.
    Declined,
}

/// Drags the files to the middle of the only window that takes drops, and lets go there.
pub fn files(files: &[&Path]) -> Outcome {
    let list: String = files
        .iter()
        .map(|path| format!("file://{}\r\n", path.display()))
        .collect();
    let (connection, screen) = x11rb::connect(None).expect("the display can be opened");
    let root = connection.setup().roots[screen].root;
    let source = Source::new(&connection, root, list);
    let target = source
        .window_that_takes_drops(root, 0)
        .expect("a window with XdndAware is on the display");
    source.drag_to(target)
}

struct Source<'a> {
    connection: &'a RustConnection,
    names: Names,
    window: Window,
    root: Window,
    list: String,
}

impl<'a> Source<'a> {
    fn new(connection: &'a RustConnection, root: Window, list: String) -> Self {
        let names = Names::new(connection)
            .expect("names are asked for")
            .reply()
            .expect("names");
        let window = connection.generate_id().expect("an id");
        connection
            .create_window(
                0,
                window,
                root,
                0,
                0,
                1,
                1,
                0,
                WindowClass::INPUT_ONLY,
                0,
                &CreateWindowAux::new(),
            )
            .expect("a window");
        connection
            .set_selection_owner(window, names.XdndSelection, x11rb::CURRENT_TIME)
            .expect("the selection");
        Self {
            connection,
            names,
            window,
            root,
            list,
        }
    }

    fn window_that_takes_drops(&self, parent: Window, depth: u32) -> Option<Window> {
        let children = self
            .connection
            .query_tree(parent)
            .ok()?
            .reply()
            .ok()?
            .children;
        children.into_iter().find_map(|child| {
            if self.takes_drops(child) {
                Some(child)
            } else if depth < DEPTH_MAX {
                self.window_that_takes_drops(child, depth + 1)
            } else {
                None
            }
        })
    }

    fn takes_drops(&self, window: Window) -> bool {
        let aware =
            self.connection
                .get_property(false, window, self.names.XdndAware, AtomEnum::ATOM, 0, 1);
        let aware = aware.ok().and_then(|cookie| cookie.reply().ok());
        aware.is_some_and(|property| property.value_len == 1)
    }

    fn drag_to(&self, target: Window) -> Outcome {
        let names = &self.names;
        let (x, y) = self.middle(target);
        let position = (u32::from(x) << 16) | u32::from(y);
        self.tell(
            target,
            names.XdndEnter,
            [VERSION << 24, names.URI_LIST, 0, 0],
        );
        // A pointer never jumps: the first answer may come before the other side has looked at what is dragged.
        let mut accepted = false;
        let begun = Instant::now();
        while !accepted && begun.elapsed() < ANSWER_LIMIT {
            self.tell(
                target,
                names.XdndPosition,
                [0, position, x11rb::CURRENT_TIME, names.XdndActionCopy],
            );
            accepted = self.answer(names.XdndStatus)[1] & 1 == 1;
        }
        if !accepted {
            self.tell(target, names.XdndLeave, [0; 4]);
            return Outcome::Declined;
        }
        self.tell(target, names.XdndDrop, [0, x11rb::CURRENT_TIME, 0, 0]);
        self.answer(names.XdndFinished);
        Outcome::Taken
    }

    fn middle(&self, window: Window) -> (u16, u16) {
        let size = self
            .connection
            .get_geometry(window)
            .expect("asked")
            .reply()
            .expect("a size");
        let (x, y) = (size.width / 2, size.height / 2);
        let place = self
            .connection
            .translate_coordinates(window, self.root, x as i16, y as i16)
            .expect("asked")
            .reply()
            .expect("a place");
        (place.dst_x as u16, place.dst_y as u16)
    }

    /// Sends a message; its first number is always the source's window.
    fn tell(&self, target: Window, kind: Atom, rest: [u32; 4]) {
        let data = [self.window, rest[0], rest[1], rest[2], rest[3]];
        let message = ClientMessageEvent::new(32, target, kind, data);
        self.connection
            .send_event(false, target, EventMask::NO_EVENT, message)
            .expect("a message is sent");
        self.connection.flush().expect("messages are sent");
    }

    /// Waits for a message of this kind, giving out the data meanwhile to who asks for it.
    fn answer(&self, kind: Atom) -> [u32; 5] {
        let begun = Instant::now();
        while begun.elapsed() < ANSWER_LIMIT {
            match self.connection.poll_for_event().expect("the display lives") {
                Some(Event::ClientMessage(message)) if message.type_ == kind => {
                    return message.data.as_data32();
                }
                Some(Event::SelectionRequest(request)) => self.hand_out(&request),
                Some(_) => {}
                None => std::thread::sleep(LOOK_EVERY),
            }
        }
        panic!(
            "the application did not answer the drag within {} s",
            ANSWER_LIMIT.as_secs()
        );
    }

    fn hand_out(&self, request: &SelectionRequestEvent) {
        let known = request.target == self.names.URI_LIST;
        if known {
            self.connection
                .change_property8(
                    PropMode::REPLACE,
                    request.requestor,
                    request.property,
                    request.target,
                    self.list.as_bytes(),
                )
                .expect("the data is handed out");
        }
        let notice = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: if known { request.property } else { x11rb::NONE },
        };
        self.connection
            .send_event(false, request.requestor, EventMask::NO_EVENT, notice)
            .expect("a notice is sent");
        self.connection.flush().expect("messages are sent");
    }
}
