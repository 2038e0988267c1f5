# サインイン。
signin-title = { $desk } にサインイン
signin-email = メールアドレス
signin-password = パスワード
signin-submit = サインイン
signin-out = サインアウト
signin-wrong = メールアドレスまたはパスワードが正しくありません。
signin-wait = { $minutes ->
   *[other] 試行回数が多すぎます。{ $minutes } 分後にもう一度お試しください。
}
security-title = サインインとセキュリティ
security-sessions = サインイン中の場所
security-sessions-none = ありません。
security-sessions-ended = そこからサインアウトしました。
security-this = このブラウザー
security-unknown = 不明なアドレスから
security-since = サインイン: { $moment }
security-seen = 最終使用: { $moment }
security-end = ここからサインアウト
security-end-others = ほかのすべてからサインアウト
security-password = パスワードの変更
security-password-changed = パスワードを変更しました。ほかの場所からはサインアウトしました。
security-old = 現在のパスワード
security-old-wrong = パスワードが正しくありません。
security-new = 新しいパスワード
security-new-hint = 10～128 文字。
security-new-length = 10～128 文字で入力してください。
security-new-same = 現在とは異なるパスワードを入力してください。
security-change = パスワードを変更
signin-account = アカウント
