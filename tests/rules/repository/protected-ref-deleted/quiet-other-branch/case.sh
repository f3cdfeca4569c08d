who alice
commit one
git push --quiet origin main main:topic
judged --delete topic
