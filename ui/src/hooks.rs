//! What components remember.

use yew::{Callback, hook, use_callback, use_state_eq};

/// A state that begins anew with each `key`, and what sets it. No effect sets it back: Yew gives way to the browser before
/// effects, so that one may run after what a person chose meanwhile.
#[hook]
pub fn use_state_for<K, T>(key: &K, begin: impl FnOnce() -> T) -> (T, Callback<T>)
where
    K: Clone + PartialEq + 'static,
    T: Clone + PartialEq + 'static,
{
    let held = use_state_eq(|| None::<(K, T)>);
    let set = use_callback((held.setter(), key.clone()), |next: T, (held, key)| {
        held.set(Some((key.clone(), next)));
    });
    let state = match &*held {
        Some((of, state)) if of == key => state.clone(),
        _ => begin(),
    };
    (state, set)
}
