-- Made when a build of search is filled: cheaper than keeping it up meanwhile.

create index searched_text_words on searched_text using gin (words);
