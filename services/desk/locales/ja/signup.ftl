# 登録と、その後。
signup-title = 登録：{ $region }
signup-lead = ここに入力した内容はこのリージョン（適用される法域：{ $jurisdiction }）へ直接送られ、そこから出ません。
signup-other-region = 別のリージョンを選ぶ
signup-mend = 次の項目を確認してください
signup-desk = デスク
signup-subdomain = アドレス
signup-subdomain-hint = 半角の英小文字、数字、ハイフンで 3～63 文字
signup-company = 会社名
signup-plan = プラン
signup-plan-every = すべてのプランを利用できます。
signup-plan-choice = 小規模プランではリージョンを選べません。
signup-plan-elsewhere = 小規模プランの登録はこちら
signup-plan-facts = プランごとの保証内容
signup-admin = 最初の管理者
signup-name = 名前
signup-email = メールアドレス
signup-password = パスワード
signup-password-hint = 10～128 文字。いくつかの単語を並べると、覚えやすく推測されにくくなります
signup-send = 登録する
signup-taken-yours = このフォームを二度送信した場合、デスクはすでに作成されています。
signup-taken-sign-in = サインイン
signup-error-blank = 入力してください。
signup-error-taken = このアドレスは別のデスクが使用しています。
signup-error-reserved = このアドレスは予約されています。別のアドレスを指定してください。
signup-error-subdomain = 半角の英小文字、数字、ハイフンで 3～63 文字にしてください。先頭と末尾にハイフンは使えません。
signup-error-line = 表示される文字で 1 行、255 文字以内にしてください。
signup-error-plan = 一覧からプランを選んでください。
signup-error-locality = このプランのデスクはリージョン「{ $region }」に置かれます。リージョンの選択は上位のプランで利用できます。
signup-error-email = name@example.com のような形式で入力してください。
signup-error-password = 10～128 文字にしてください。
signup-name-free = このアドレスは利用できます。
signup-ticket-subject = デスクへようこそ
signup-ticket-body = こんにちは。

    これはチケットです。お客様からのお問い合わせも、このように届きます。自由に試してみてください。

    ・返信を書く。または、チームだけが見られる社内メモを書く。
    ・担当者を決める、優先度を変える、解決済みにする。
    ・履歴を見る。誰が何をしたか、いつアーカイブされたかがすべて残っています。

    このチケットはチームの外からは見えません。終わったら削除してください。
welcome-title = デスクの準備ができました
welcome-lead = アドレスは { $url }、ホームリージョンは「{ $region }」です。
welcome-pending = 応答できるようになるまで、もう少しかかります。何も失われていません。しばらくしてからもう一度お試しください。
welcome-sign-in = サインイン
welcome-ticket = 最初のチケットを見る
welcome-certificate = データの保管場所を確認する
welcome-token = API トークン
welcome-token-once = 今すぐ保管してください。表示されるのは今回だけで、当方にはハッシュ値しか保存されません。
welcome-api = プログラムからチケットを作成する
