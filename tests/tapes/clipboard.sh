# A scene of a clipboard, for a tape: a program puts one text there after the other, on a display of the recorder's own.
for text in one two three; do
	printf 'the text %s' "$text" | timeout 1 xclip -selection clipboard -quiet 2> /dev/null
done
true
