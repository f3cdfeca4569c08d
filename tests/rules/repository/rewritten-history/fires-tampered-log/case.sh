who alice
commit one
git push --quiet origin main
git fetch --quiet
judged main:topic
# then
sed -i.orig 's/topic/other/; s/"time":1/"time":2/' .git/toolbelt/refs.log
judged main:topic
