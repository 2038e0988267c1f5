mod groups;
mod people;
mod tokens;
