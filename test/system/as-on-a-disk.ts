/**
 * What programs do with a tree of files, and say of it: a script of a shell for a container of {@link gitTools}, to be run in an
 * empty directory. It says the same wherever that is.
 */
export const treeScript = `
export HOME=$PWD GIT_AUTHOR_DATE=@1700000000 GIT_COMMITTER_DATE=@1700000000
for role in AUTHOR COMMITTER; do export GIT_\${role}_NAME=u GIT_\${role}_EMAIL=u@localhost; done
mkdir -p tree/a/b; cd tree
for i in 1 2; do echo $i >a/b/$i; done
echo one >'ü é'; ln -s a/b/1 link; echo run >run; chmod 755 run
git init -q -b main; git add .; git commit -q -m one
git checkout -q -b other; git rm -q -r a/b; ln -sf run link; chmod 644 run; git add -A; git commit -q -m two
git checkout -q main; git status --porcelain; git rev-parse HEAD; cat a/b/2; readlink link; stat -c %a run
git checkout -q other; git status --porcelain; test -e a || echo gone
cd ..; git clone -q tree clone; cd clone; git gc -q; git fsck --no-progress; cd ..

echo old >f; exec 3<f; echo new >g; mv g f; cat f - <&3; exec 3<&-
exec 3>f; rm f; echo more >&3; exec 3>&-; test -e f || echo gone
echo a >h1; ln h1 h2; echo b >>h2; rm h1; cat h2
for mode in 444 2755; do touch m; chmod $mode m; stat -c %a m; rm m; done
touch -d '2001-02-03 04:05:06' t; cp -p t u; stat -c %Y u; touch -h -d @5 clone/link; stat -c %Y clone/link
long=$(printf %0255d 0); touch $long "$(printf 'a\\nb')" '日本語' ' '; ls | wc -l; ls | grep -c $long
flock f sh -c 'flock -n f true || echo held'
sqlite3 db 'create table t(a); insert into t values(1);'
sqlite3 -cmd '.timeout 60000' db 'insert into t values(2)' & sqlite3 -cmd '.timeout 60000' db 'insert into t values(3)'; wait
sqlite3 db 'select count(*) from t; pragma integrity_check'
for i in 1 2; do (for j in 1 2; do echo line >>log; done) & done; wait; wc -l <log
`;
