//! Parts of the window. Each renders from few, cheap properties; rows come from the views hub.

pub mod assessment;
pub mod bits;
pub mod card;
pub mod dialog;
pub mod dialogs;
pub mod drawer;
pub mod evidence;
pub mod field_row;
pub mod masthead;
pub mod nav;
pub mod splitter;
pub mod steps;
pub mod tabs;
pub mod text_layer;
pub mod toasts;
pub mod virtual_list;
