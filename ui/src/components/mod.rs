//! Parts of the window. Each renders from few, cheap properties; rows come from the views hub.

pub mod assessment;
pub mod bits;
pub mod card;
pub mod connection;
pub mod dialog;
pub mod dialogs;
pub mod drawer;
pub mod event_log;
pub mod evidence;
pub mod feeds;
pub mod field_editor;
pub mod field_row;
pub mod history;
pub mod masthead;
pub mod nav;
pub mod run_view;
pub mod send_message;
pub mod splitter;
pub mod steps;
pub mod tabs;
pub mod text_layer;
pub mod toasts;
pub mod versions;
pub mod virtual_list;
