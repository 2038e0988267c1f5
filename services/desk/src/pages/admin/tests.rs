mod groups;
mod people;
