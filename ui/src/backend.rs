//! Calls to the core and events from it.
//!
//! Requests and replies are postcard in raw bytes; an error comes back as a JSON [`ApiError`].

use crate::dom;
use ghostlight_api::{ApiError, Command, ErrorCode, decode, encode};
use js_sys::{JSON, Object, Reflect, Uint8Array};
use serde::de::DeserializeOwned;
use std::{marker::PhantomData, rc::Rc};
use wasm_bindgen::{JsValue, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::spawn_local;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["window", "__TAURI_INTERNALS__"], js_name = invoke, catch)]
    async fn invoke(command: &str, body: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = ["window", "__TAURI_INTERNALS__"], js_name = transformCallback, catch)]
    fn transform_callback(
        callback: &Closure<dyn FnMut(JsValue)>,
        once: bool,
    ) -> Result<JsValue, JsValue>;
}

/// Sends a command and waits for its reply.
///
/// # Errors
/// What the core answered, or that it could not be reached.
pub async fn call<C: Command>(request: C) -> Result<C::Reply, ApiError> {
    ask(request).await?.read()
}

/// Sends a command and waits for its reply, to be read later.
///
/// # Errors
/// As [`call`], but for a reply that cannot be read.
pub async fn ask<C: Command>(request: C) -> Result<Unread<C>, ApiError> {
    let bytes = encode(&request)?;
    let body = Uint8Array::from(bytes.as_slice());
    let reply = invoke(C::NAME, &body).await.map_err(|e| read_error(&e))?;
    Ok(Unread(reply, PhantomData))
}

/// A reply as it came.
pub struct Unread<C>(JsValue, PhantomData<C>);

impl<C: Command> Unread<C> {
    /// Reads it.
    ///
    /// # Errors
    /// The core is of another version than the window.
    pub fn read(self) -> Result<C::Reply, ApiError> {
        decode(&Uint8Array::new(&self.0).to_vec())
    }
}

/// Calls `handler` with the payload of each event of this name, for as long as the window lives: in a task of the page's
/// own, because an exception out of what the core calls is told to the core alone, and never to the page.
///
/// # Errors
/// The core does not let this window listen.
pub async fn listen<T: DeserializeOwned + 'static>(
    event: &str,
    handler: impl Fn(T) + 'static,
) -> Result<(), ApiError> {
    let handler = Rc::new(handler);
    let closure = Closure::new(move |message: JsValue| {
        let handler = Rc::clone(&handler);
        spawn_local(async move {
            if let Some(payload) = read_payload(&message) {
                handler(payload);
            }
        });
    });
    let id = transform_callback(&closure, false).map_err(|e| read_error(&e))?;
    // Listeners live as long as the page.
    closure.forget();
    let target = object(&[("kind", "Any".into())]);
    let request = object(&[("event", event.into()), ("target", target), ("handler", id)]);
    invoke("plugin:event|listen", &request)
        .await
        .map_err(|e| read_error(&e))?;
    Ok(())
}

/// Tells the core of an event without payload; nobody waits for it.
pub async fn announce(event: &str) {
    let request = object(&[("event", event.into()), ("payload", JsValue::NULL)]);
    let _ = invoke("plugin:event|emit", &request).await;
}

fn read_payload<T: DeserializeOwned>(message: &JsValue) -> Option<T> {
    let payload = Reflect::get(message, &"payload".into()).ok()?;
    // `undefined` (an event without payload) has no JSON; read it as `null`.
    let json = JSON::stringify(&payload).ok().and_then(|s| s.as_string());
    serde_json::from_str(json.as_deref().unwrap_or("null")).ok()
}

fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        // Fails only on frozen objects.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}

fn read_error(value: &JsValue) -> ApiError {
    let json = JSON::stringify(value).ok().and_then(|s| s.as_string());
    json.and_then(|json| serde_json::from_str(&json).ok())
        .unwrap_or_else(|| {
            ApiError::new(
                ErrorCode::Internal,
                format!("The core did not answer: {}", dom::text_of(value)),
                "Your data is unchanged. Reload the window; if this stays, restart Ghostlight.",
            )
        })
}
